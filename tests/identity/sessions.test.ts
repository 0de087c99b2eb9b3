import { expect, test } from 'vitest';
import { LastAdmin, removeMember } from '../../lib/identity/members';
import { requestSignIn } from '../../lib/identity/sign-in';
import { inviteStaff } from '../../lib/identity/staff';
import { asMember, memberMay, staffMay, viewerFromToken } from '../../lib/identity/viewer';
import { DAY, MINUTE, SECOND } from '../../lib/kit/clock';
import { aTestApp, type TestApp } from '../support/test-app';
import { aBrowser } from './browser';
import { aCustomer, aMember, mailedLinks, signedIn, VISITOR } from './support';

const CLI = { kind: 'cli' } as const;
const sessionEvents = async (app: TestApp) =>
  (
    await app.db.auditEvent.findMany({
      where: { action: { startsWith: 'session.' } },
      orderBy: [{ at: 'asc' }, { id: 'asc' }],
    })
  ).map((event) => [event.action, event.actor, event.ip, event.userAgent, event.reason]);

test('a session lasts until sign-out, and both ends are in the audit log', async () => {
  const app = await aTestApp();
  const { userId } = await aCustomer(app);
  const browser = aBrowser(app);
  await requestSignIn(app, { email: 'anna@example.com', visitor: VISITOR });
  await browser.confirm((await mailedLinks(app))[0]!.link);
  const token = browser.jar.get('next-auth.session-token')!;
  expect(await viewerFromToken(app, token)).not.toBeNull();

  app.clock.advance(MINUTE);
  await browser.signOut();

  expect(await viewerFromToken(app, token)).toBeNull();
  expect(await sessionEvents(app)).toEqual([
    ['session.started', `member:${userId}`, '203.0.113.7', 'Firefox/140', null],
    ['session.ended', `member:${userId}`, '203.0.113.7', 'Firefox/140', null],
  ]);
});

test('signing in again ends the session that the browser held', async () => {
  const app = await aTestApp();
  await aCustomer(app);
  const browser = aBrowser(app);
  for (const _ of [1, 2]) {
    await requestSignIn(app, { email: 'anna@example.com', visitor: VISITOR });
    app.clock.advance(SECOND);
    await browser.confirm((await mailedLinks(app)).at(-1)!.link);
  }
  expect(await app.db.session.count({ where: { endedAt: null } })).toBe(1);
  expect(await viewerFromToken(app, browser.jar.get('next-auth.session-token')!)).not.toBeNull();
});

test('a session ends by age, used or not', async () => {
  const app = await aTestApp();
  const { userId } = await aCustomer(app);
  const token = await signedIn(app, userId);
  app.clock.advance(30 * DAY - 1);
  expect(await viewerFromToken(app, token)).not.toBeNull();
  app.clock.advance(1);
  expect(await viewerFromToken(app, token)).toBeNull();
});

test('when somebody was last seen is noted at most once a minute', async () => {
  const app = await aTestApp();
  const { userId } = await aCustomer(app);
  const token = await signedIn(app, userId);
  const lastSeen = async () => (await app.db.session.findFirstOrThrow()).lastSeenAt?.toISOString();

  app.clock.advance(59 * SECOND);
  await viewerFromToken(app, token);
  expect(await lastSeen()).toBe('2026-11-22T10:00:00.000Z');
  app.clock.advance(SECOND);
  await viewerFromToken(app, token);
  expect(await lastSeen()).toBe('2026-11-22T10:01:00.000Z');
});

test('whoever is removed from their last account is signed out at once', async () => {
  const app = await aTestApp();
  const first = await aCustomer(app, 'anna@example.com');
  const second = await aCustomer(app, 'ben@example.com');
  const inFirst = await aMember(app, first.customer.id, 'developer', 'dev@example.com');
  const inSecond = await aMember(app, second.customer.id, 'billing', 'dev@example.com');
  const token = await signedIn(app, inFirst.userId);

  app.clock.advance(MINUTE);
  await removeMember(app, { memberId: inFirst.memberId, by: CLI });
  const viewer = await viewerFromToken(app, token);
  expect(viewer?.memberships.map((each) => each.customerId)).toEqual([second.customer.id]);

  await removeMember(app, { memberId: inSecond.memberId, by: CLI });
  expect(await viewerFromToken(app, token)).toBeNull();
  const session = await app.db.session.findFirstOrThrow({ where: { userId: inFirst.userId } });
  expect(session.endedAt).toEqual(app.clock.now());
  expect((await sessionEvents(app)).at(-1)?.[4]).toBe('member-removed');
});

test('an account keeps its last admin', async () => {
  const app = await aTestApp();
  const { customer, memberId } = await aCustomer(app);
  await aMember(app, customer.id, 'developer', 'dev@example.com');
  await expect(removeMember(app, { memberId, by: CLI })).rejects.toMatchObject({ code: new LastAdmin().code });

  const other = await aMember(app, customer.id, 'admin', 'eva@example.com');
  const both = await Promise.allSettled([
    removeMember(app, { memberId, by: CLI }),
    removeMember(app, { memberId: other.memberId, by: CLI }),
  ]);
  expect(both.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
});

// A viewer who carried another account's rights would see a stranger's credentials.
test('a viewer may act in their own accounts alone, and by the role that each gave them', async () => {
  const app = await aTestApp();
  const anna = await aCustomer(app, 'anna@example.com');
  const ben = await aCustomer(app, 'ben@example.com');
  await aMember(app, ben.customer.id, 'billing', 'anna@example.com');
  const viewer = await viewerFromToken(app, await signedIn(app, anna.userId));
  if (!viewer) throw new Error('Anna is not signed in.');

  expect(memberMay(viewer, anna.customer.id, 'credential.rotate')).toBe(true);
  expect(memberMay(viewer, ben.customer.id, 'credential.rotate')).toBe(false);
  expect(memberMay(viewer, ben.customer.id, 'credential.read')).toBe(true);
  expect(memberMay(viewer, 'cus_elsewhere', 'credential.read')).toBe(false);
  expect(staffMay(viewer, 'audit.read')).toBe(false);
  expect(asMember(viewer)).toEqual({ kind: 'member', userId: anna.userId });
  expect(await viewerFromToken(app, 'no-such-token')).toBeNull();
});

test('inviting staff lets them in by a mailed link, with the role they were given', async () => {
  const app = await aTestApp();
  await inviteStaff(app, { email: ' Sam@Vendor.example ', role: 'auditor', by: CLI });
  await inviteStaff(app, { email: 'sam@vendor.example', role: 'support', by: CLI });
  await inviteStaff(app, { email: 'sam@vendor.example', role: 'support', by: CLI });

  const links = await mailedLinks(app);
  expect(links.map((mail) => mail.to)).toEqual(Array(3).fill('sam@vendor.example'));
  const browser = aBrowser(app);
  await browser.confirm(links[2]!.link);
  const viewer = await viewerFromToken(app, browser.jar.get('next-auth.session-token')!);
  expect(viewer).toMatchObject({ staffRole: 'support', memberships: [] });

  const invited = await app.db.auditEvent.findMany({ where: { action: 'staff.invited' } });
  expect(invited.map((event) => (event.data as { role: string }).role).sort()).toEqual(['auditor', 'support']);
});

test('a wrong role or address invites nobody and mails nothing', async () => {
  const app = await aTestApp();
  await expect(inviteStaff(app, { email: 'sam@vendor.example', role: 'admin', by: CLI })).rejects.toMatchObject({
    code: 'staff-role-unknown',
  });
  await expect(inviteStaff(app, { email: 'sam', role: 'owner', by: CLI })).rejects.toMatchObject({
    code: 'staff-address-unreadable',
  });
  expect([await app.db.staff.count(), await app.db.user.count(), await app.db.mail.count()]).toEqual([0, 0, 0]);
});
