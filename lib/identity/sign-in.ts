import { setTimeout as wait } from 'node:timers/promises';
import ipaddr from 'ipaddr.js';
import type { Tx } from '../db/client';
import { lockName } from '../db/locks';
import { transact } from '../db/transact';
import { DAY, MINUTE } from '../kit/clock';
import { tokenHash } from '../kit/seal';
import { Secret } from '../kit/secret';
import { sendLater } from '../mail/deliver';
import { absolute, paths } from '../paths';
import type { Needs } from '../ports/app';
import { newToken, type Visitor } from './sessions';

export const LINK_MINUTES = 15;
export const LINKS_PER_MAILBOX = 5;
/** Higher than per mailbox: an office shares one address. */
export const LINKS_PER_ADDRESS = 20;

/** Longer than the work behind any answer, so that its time does not tell whether a mail was sent. */
const ANSWER_MS = 250;

interface LinkRequest {
  /** Lower case, of the form of a mail address. */
  email: string;
  /** Where to go after sign-in: a path of ours. */
  next?: string;
  visitor: Visitor;
  token?: string;
}

/**
 * Mails a sign-in link that works once, for 15 minutes, to whoever has a place here. Everyone else's request looks the
 * same from outside: same answer, same time, a row of the same kind, but no mail. Over the limit per mailbox or per
 * address (/64 for IPv6) in a quarter of an hour nothing is written and nothing is mailed.
 */
export async function requestSignIn(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { email, next, visitor, token = newToken() }: LinkRequest,
): Promise<void> {
  const answerable = wait(ANSWER_MS);
  await transact(app, async (tx) => {
    if (!(await withinLimits(app, tx, email, visitor.ip))) return;
    await mailLink(app, tx, { email, next, ip: visitor.ip, token, send: await hasPlace(tx, email) });
  });
  await answerable;
}

/** Mails a link in the transaction of an invitation; limits are for strangers and do not count here. */
export async function mailSignIn(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  { email, next }: { email: string; next?: string },
): Promise<void> {
  await mailLink(app, tx, { email, next, ip: null, token: newToken(), send: true });
}

/**
 * Uses a link's token up. Two requests with the same token cannot both succeed: the row is deleted by one of them.
 *
 * @returns the mail address it was sent to, or null for a token that is unknown, used, expired or someone else's.
 */
export async function useSignInToken(
  app: Needs<'db' | 'clock'>,
  { hash, email }: { hash: Uint8Array; email: string },
): Promise<string | null> {
  const [used] = await app.db.$queryRaw<{ email: string; expiresAt: Date }[]>`
    delete from sign_in_tokens where token_hash = ${hash} and email = ${email}
    returning email, expires_at as "expiresAt"`;
  return used && used.expiresAt > app.clock.now() ? used.email : null;
}

/** Whether a mail address belongs to a member of an account or to staff, removed ones not counted. */
export async function hasPlace(tx: Pick<Tx, 'user'>, email: string): Promise<boolean> {
  const user = await tx.user.findFirst({
    where: { email, OR: [{ members: { some: { removedAt: null } } }, { staff: { is: { removedAt: null } } }] },
    select: { id: true },
  });
  return user !== null;
}

/**
 * A path of ours out of what a URL's `next` says, query and fragment included; `otherwise` for other origins, for what
 * browsers would read as another origin (`//host`, `/\host`), and for the sign-in pages themselves.
 */
export function ownPath(next: string | null | undefined, otherwise: string): string {
  if (!next?.startsWith('/')) return otherwise;
  const base = 'http://own.invalid';
  const url = URL.canParse(next, base) ? new URL(next, base) : null;
  if (url?.origin !== base || /^\/(sign-in|api)(\/|$)/.test(url.pathname)) return otherwise;
  const path = url.pathname + url.search + url.hash;
  // `/.//host` resolves to the path `//host`, which a browser would follow to another origin.
  return path.startsWith('//') ? otherwise : path;
}

async function mailLink(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  link: { email: string; next?: string; ip: string | null; token: string; send: boolean },
): Promise<void> {
  const now = app.clock.now();
  const expiresAt = new Date(now.getTime() + LINK_MINUTES * MINUTE);
  const hash = tokenHash(link.token);
  await tx.signInToken.deleteMany({ where: { createdAt: { lt: new Date(now.getTime() - DAY) } } });
  await tx.signInToken.create({
    data: {
      tokenHash: Uint8Array.from(hash),
      email: link.email,
      ip: link.ip && network(link.ip),
      createdAt: now,
      expiresAt,
    },
  });
  if (!link.send) return;
  await sendLater(app, tx, {
    kind: 'sign-in',
    to: link.email,
    customerId: null,
    dedupeKey: hash.toString('hex'),
    props: { expiresAt: expiresAt.toISOString() },
    secrets: { link: new Secret(absolute(app.env.appUrl, paths.signInConfirm(link.token, link.email, link.next))) },
  });
}

async function withinLimits(app: Needs<'clock'>, tx: Tx, email: string, ip: string | null): Promise<boolean> {
  const since = new Date(app.clock.now().getTime() - LINK_MINUTES * MINUTE);
  // Always the mailbox first: requests that come at once are counted one after the other and never wait in a circle.
  await lockName(tx, `sign-in:${email}`);
  const toMailbox = await tx.signInToken.count({ where: { email, createdAt: { gt: since } } });
  if (toMailbox >= LINKS_PER_MAILBOX) return false;
  if (!ip) return true;
  await lockName(tx, `sign-in:${network(ip)}`);
  const fromAddress = await tx.signInToken.count({ where: { ip: network(ip), createdAt: { gt: since } } });
  return fromAddress < LINKS_PER_ADDRESS;
}

/** An IPv4 address as it is; of an IPv6 address the /64, since one customer of a provider holds at least that. */
function network(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv6' ? `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64` : address.toString();
}
