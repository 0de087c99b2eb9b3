import type { NextRequest } from 'next/server';
import NextAuth, { type NextAuthOptions } from 'next-auth';
import type { Adapter, AdapterUser } from 'next-auth/adapters';
import type { EmailConfig } from 'next-auth/providers/email';
import { DAY, MINUTE, SECOND } from '../kit/clock';
import { tokenHash } from '../kit/seal';
import { absolute, paths } from '../paths';
import type { Needs } from '../ports/app';
import { parseEmail } from './customers';
import { endSession, newToken, SESSION_DAYS, secureCookies, startSession, type Visitor } from './sessions';
import { hasPlace, LINK_MINUTES, ownPath, requestSignIn, useSignInToken } from './sign-in';

type World = Needs<'db' | 'clock' | 'env' | 'keys' | 'log'>;

/**
 * Answers one request under `/api/auth`. A link's token is used up by POST alone: mail scanners follow every link with
 * GET, and a page of another site must not be able to sign its visitor in as somebody else.
 */
export async function answerAuth(
  app: World,
  request: NextRequest,
  context: { params: Promise<{ nextauth: string[] }> },
  visitor: Visitor,
): Promise<Response> {
  const [action] = (await context.params).nextauth;
  if (action === 'callback' && request.method !== 'POST')
    return new Response(null, { status: 405, headers: { Allow: 'POST' } });
  if (action === '_log') return new Response(null, { status: 404 });
  if (request.method === 'POST' && !fromOurPages(app, request.headers)) return new Response(null, { status: 403 });
  const response: Response = await NextAuth(request, context, authOptions(app, visitor));
  response.headers.set('Cache-Control', 'no-store');
  return response;
}

/** What next-auth is told for one request: sessions, tokens and people are ours; nothing of it outlives the request. */
export function authOptions(app: World, visitor: Visitor): NextAuthOptions {
  return {
    adapter: adapter(app, visitor),
    providers: [magicLink(app, visitor)],
    secret: tokenHash(`next-auth:${app.keys.current.signing.toString('hex')}`).toString('hex'),
    useSecureCookies: secureCookies(app),
    session: {
      strategy: 'database',
      maxAge: (SESSION_DAYS * DAY) / SECOND,
      // Sessions end when they end; nothing prolongs them.
      updateAge: (SESSION_DAYS * DAY) / SECOND,
      generateSessionToken: newToken,
    },
    pages: {
      signIn: paths.signIn(),
      signOut: paths.dashboard(),
      error: paths.signIn(),
      verifyRequest: paths.signInSent(),
    },
    callbacks: {
      // Asked twice: before a mail, where a stranger must get the same answer as anyone, and when a link is used.
      signIn: ({ user, email }) => email?.verificationRequest === true || hasPlace(app.db, user.email ?? ''),
      redirect: ({ url, baseUrl }) =>
        absolute(baseUrl, ownPath(url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url, '/dashboard')),
      session: ({ session }) => session,
    },
    logger: {
      error: (code) => app.log.error(`next-auth reported ${code}`, { code }),
      warn: (code) => app.log.warn(`next-auth reported ${code}`, { code }),
      debug: () => undefined,
    },
  };
}

/** Browsers name the page's origin with every POST; a client that names none is no browser and holds no one's cookies. */
function fromOurPages(app: Needs<'env'>, headers: Headers): boolean {
  const origin = headers.get('origin');
  if (!origin) return true;
  if (origin === new URL(app.env.appUrl).origin) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.get('host');
}

function magicLink(app: World, visitor: Visitor): EmailConfig {
  return {
    id: 'email',
    type: 'email',
    name: 'Email',
    server: '',
    from: app.env.mail.from,
    maxAge: (LINK_MINUTES * MINUTE) / SECOND,
    // next-auth hashes token + secret. The token alone has 256 bits, and our own rows hold its plain SHA-256.
    secret: '',
    generateVerificationToken: newToken,
    normalizeIdentifier: (typed) => {
      const email = parseEmail(typed);
      if (!email) throw new Error('Not a mail address.');
      return email;
    },
    sendVerificationRequest: ({ identifier, token, url }) => {
      const { origin, searchParams } = new URL(url);
      const next = ownPath(searchParams.get('callbackUrl')?.slice(origin.length), '');
      return requestSignIn(app, { email: identifier, next: next || undefined, visitor, token });
    },
    options: {},
  };
}

function adapter(app: World, visitor: Visitor): Adapter {
  const asUser = (user: { id: string; email: string; name: string | null; verifiedAt: Date | null }): AdapterUser => ({
    id: user.id,
    email: user.email,
    name: user.name,
    emailVerified: user.verifiedAt,
  });
  // The session that this browser held before; a new sign-in takes its place.
  let replaced: string | null = null;
  return {
    // People come into being by a purchase or an invitation; a link is mailed to nobody else.
    createUser: () => {
      throw new Error('Sign-in makes no users.');
    },
    getUser: async (id) => {
      const user = await app.db.user.findUnique({ where: { id } });
      return user && asUser(user);
    },
    getUserByEmail: async (email) => {
      const user = await app.db.user.findUnique({ where: { email } });
      return user && asUser(user);
    },
    getUserByAccount: async () => null,
    linkAccount: async () => undefined,
    /** Called with every sign-in, to note that the mailbox is theirs. */
    updateUser: async ({ id }) => {
      const now = app.clock.now();
      await app.db.user.updateMany({ where: { id, verifiedAt: null }, data: { verifiedAt: now } });
      return asUser(await app.db.user.findUniqueOrThrow({ where: { id } }));
    },
    createSession: async ({ sessionToken, userId }) => {
      if (replaced) await endSession(app, { token: replaced, visitor });
      const { expiresAt } = await startSession(app, { userId, token: sessionToken, visitor });
      return { sessionToken, userId, expires: expiresAt };
    },
    getSessionAndUser: async (sessionToken) => {
      const session = await app.db.session.findFirst({
        where: {
          tokenHash: Uint8Array.from(tokenHash(sessionToken)),
          endedAt: null,
          expiresAt: { gt: app.clock.now() },
        },
        include: { user: true },
      });
      if (!session || !(await hasPlace(app.db, session.user.email))) return null;
      replaced = sessionToken;
      return {
        session: { sessionToken, userId: session.userId, expires: session.expiresAt },
        user: asUser(session.user),
      };
    },
    updateSession: async () => null,
    deleteSession: async (sessionToken) => {
      await endSession(app, { token: sessionToken, visitor });
    },
    // The row and the mail that carries its token are written in one transaction, by `requestSignIn`.
    createVerificationToken: async () => null,
    useVerificationToken: async ({ identifier, token }) => {
      const email = await useSignInToken(app, { hash: Uint8Array.from(Buffer.from(token, 'hex')), email: identifier });
      // Our clock has judged the expiry; next-auth is given an instant that it cannot judge otherwise.
      return email ? { identifier: email, token, expires: new Date(8.64e15) } : null;
    },
  };
}
