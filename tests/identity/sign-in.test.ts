import { expect, test } from 'vitest';
import { removeMember } from '../../lib/identity/members';
import { LINKS_PER_ADDRESS, LINKS_PER_MAILBOX, ownPath, requestSignIn } from '../../lib/identity/sign-in';
import { viewerFromToken } from '../../lib/identity/viewer';
import { MINUTE } from '../../lib/kit/clock';
import { tokenHash } from '../../lib/kit/seal';
import { aTestApp } from '../support/test-app';
import { aBrowser } from './browser';
import { aCustomer, aMember, mailedLinks, VISITOR } from './support';

const COOKIE = 'next-auth.session-token';

test('a mailed link signs its reader in, once', async () => {
  const app = await aTestApp();
  const { userId } = await aCustomer(app, 'anna@example.com');
  const browser = aBrowser(app);

  const asked = await browser.askForLink(' Anna@Example.com', '/dashboard?tab=2');
  expect(asked.location).toContain('/api/auth/verify-request');
  const [mail] = await mailedLinks(app);
  expect(mail?.to).toBe('anna@example.com');
  expect(mail?.link.pathname).toBe('/sign-in/confirm');
  expect(mail?.link.searchParams.get('next')).toBe('/dashboard?tab=2');

  const entered = await browser.confirm(mail!.link, '/dashboard?tab=2');
  expect(entered.location).toBe('http://localhost:3000/dashboard?tab=2');
  const viewer = await viewerFromToken(app, browser.jar.get(COOKIE)!);
  expect(viewer).toMatchObject({ userId, email: 'anna@example.com', staffRole: null });

  const thief = aBrowser(app);
  expect((await thief.confirm(mail!.link)).location).toContain('error=Verification');
  expect(thief.jar.get(COOKIE)).toBeUndefined();
  expect(await app.db.session.count()).toBe(1);
});

test('of two readers who open one link at once, one is signed in', async () => {
  const app = await aTestApp();
  await aCustomer(app);
  await requestSignIn(app, { email: 'anna@example.com', visitor: VISITOR });
  const [mail] = await mailedLinks(app);
  await Promise.all([1, 2, 3, 4].map(() => aBrowser(app).confirm(mail!.link)));
  expect(await app.db.session.count()).toBe(1);
});

test('a link works for fifteen minutes, and only for the mailbox it went to', async () => {
  const app = await aTestApp();
  await aCustomer(app, 'anna@example.com');
  await aCustomer(app, 'ben@example.com');
  await requestSignIn(app, { email: 'anna@example.com', visitor: VISITOR });
  const [mail] = await mailedLinks(app);

  const forBen = new URL(mail!.link);
  forBen.searchParams.set('email', 'ben@example.com');
  expect((await aBrowser(app).confirm(forBen)).location).toContain('error=Verification');

  app.clock.advance(15 * MINUTE);
  expect((await aBrowser(app).confirm(mail!.link)).location).toContain('error=Verification');
  expect(await app.db.session.count()).toBe(0);

  await requestSignIn(app, { email: 'anna@example.com', visitor: VISITOR });
  app.clock.advance(15 * MINUTE - 1);
  await aBrowser(app).confirm((await mailedLinks(app))[1]!.link);
  expect(await app.db.session.count()).toBe(1);
});

test('neither a link nor a session can be taken from the database', async () => {
  const app = await aTestApp();
  await aCustomer(app);
  const browser = aBrowser(app);
  await browser.askForLink('anna@example.com');
  const [mail] = await mailedLinks(app);
  const linkToken = mail!.link.searchParams.get('token')!;
  const [stored] = await app.db.signInToken.findMany();
  expect(Buffer.from(stored!.tokenHash)).toEqual(tokenHash(linkToken));
  await browser.confirm(mail!.link);
  const sessionToken = browser.jar.get(COOKIE)!;
  const [session] = await app.db.session.findMany();
  expect(Buffer.from(session!.tokenHash)).toEqual(tokenHash(sessionToken));

  const tables = [app.db.mail, app.db.session, app.db.signInToken, app.db.auditEvent, app.db.user] as unknown as {
    findMany(): Promise<unknown[]>;
  }[];
  const everything = JSON.stringify(await Promise.all(tables.map((table) => table.findMany())), (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(everything).toContain('anna@example.com');
  expect(everything).not.toContain(linkToken);
  expect(everything).not.toContain(sessionToken);
});

// A sign-in page that answers customers differently tells a competitor who buys here.
test('asking for a link looks the same for whoever is known and whoever is not', async () => {
  const app = await aTestApp();
  await aCustomer(app, 'anna@example.com');
  const gone = await aCustomer(app, 'gone@example.com');
  await aMember(app, gone.customer.id, 'admin', 'heir@example.com');
  await removeMember(app, { memberId: gone.memberId, by: { kind: 'cli' } });

  const answers = [];
  for (const email of ['anna@example.com', 'gone@example.com', 'stranger@example.com']) {
    const { status, location, body } = await aBrowser(app).askForLink(email);
    answers.push({ status, location, body });
  }

  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  expect((await mailedLinks(app)).map((mail) => mail.to)).toEqual(['anna@example.com']);
  expect(await app.db.signInToken.count()).toBe(3);
  expect(await app.db.user.count({ where: { email: 'stranger@example.com' } })).toBe(0);
});

test('a mailbox gets a few links in a quarter of an hour, whoever asks', async () => {
  const app = await aTestApp();
  await aCustomer(app);
  const ask = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        requestSignIn(app, { email: 'anna@example.com', visitor: { ip: `203.0.113.${index}`, userAgent: null } }),
      ),
    );
  await ask(LINKS_PER_MAILBOX + 3);
  expect(await mailedLinks(app)).toHaveLength(LINKS_PER_MAILBOX);
  app.clock.advance(15 * MINUTE + 1);
  await ask(1);
  expect(await mailedLinks(app)).toHaveLength(LINKS_PER_MAILBOX + 1);
});

test('an address asks for a few links in a quarter of an hour, for whichever mailboxes', async () => {
  const app = await aTestApp();
  await aCustomer(app);
  const strangers = Array.from({ length: LINKS_PER_ADDRESS + 2 }, (_, index) => index);
  await Promise.all(
    strangers.map((n) =>
      requestSignIn(app, { email: `${n}@example.com`, visitor: { ip: `2001:db8:1:2::${n}`, userAgent: null } }),
    ),
  );
  expect(await app.db.signInToken.count()).toBe(LINKS_PER_ADDRESS);
  await requestSignIn(app, { email: 'anna@example.com', visitor: { ip: '2001:db8:1:2:ffff::1', userAgent: null } });
  expect(await mailedLinks(app)).toHaveLength(0);
  await requestSignIn(app, { email: 'anna@example.com', visitor: { ip: '2001:db8:1:3::1', userAgent: null } });
  expect(await mailedLinks(app)).toHaveLength(1);
});

test('after sign-in one lands on a path of ours, whatever the link says', () => {
  for (const path of ['/dashboard', '/console/audit?verdict=refused&ip=1.2.3.4', '/products/a%20b#x']) {
    expect(ownPath(path, '/else')).toBe(path);
  }
  const foreign = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    'dashboard',
    '/sign-in?next=/sign-in',
    '/api/auth/signout',
    '',
    undefined,
    null,
  ];
  for (const path of foreign) expect(ownPath(path, '/else'), String(path)).toBe('/else');
});
