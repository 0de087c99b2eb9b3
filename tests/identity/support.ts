import { transact } from '../../lib/db/transact';
import { customerForEmail } from '../../lib/identity/customers';
import { newToken, startSession } from '../../lib/identity/sessions';
import { open } from '../../lib/kit/seal';
import type { TestApp } from '../support/test-app';

export const VISITOR = { ip: '203.0.113.7', userAgent: 'Firefox/140' };

/** An account with its first member, who is `admin`. */
export async function aCustomer(app: TestApp, email = 'anna@example.com') {
  const customer = await transact(app, (tx) => customerForEmail(app, tx, { email, by: { kind: 'cli' } }));
  const member = await app.db.member.findFirstOrThrow({ where: { customerId: customer.id } });
  return { customer, userId: member.userId, memberId: member.id };
}

/** Another person in an account. */
export async function aMember(app: TestApp, customerId: string, role: string, email: string) {
  const user = await app.db.user.upsert({
    where: { email },
    create: { id: `usr_${email}`, email, createdAt: app.clock.now() },
    update: {},
  });
  const member = await app.db.member.create({
    data: { id: `mem_${customerId}_${email}`, customerId, userId: user.id, role, createdAt: app.clock.now() },
  });
  return { userId: user.id, memberId: member.id };
}

/** Signed in without a mail: the session's token, as the cookie holds it. */
export async function signedIn(app: TestApp, userId: string): Promise<string> {
  const token = newToken();
  await startSession(app, { userId, token, visitor: VISITOR });
  return token;
}

/** The links that wait to be mailed, oldest first, with the address each goes to. */
export async function mailedLinks(app: TestApp): Promise<{ to: string; link: URL }[]> {
  const mails = await app.db.mail.findMany({ where: { kind: 'sign-in' }, orderBy: { createdAt: 'asc' } });
  return mails.map((mail) => {
    const secrets = JSON.parse(open(app.keys, mail.sealed ?? '', mail.id) ?? '{}') as { link: string };
    return { to: mail.to, link: new URL(secrets.link) };
  });
}
