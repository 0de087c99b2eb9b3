import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import type { Needs } from '../ports/app';
import { endSessionsOf } from './sessions';

export interface MemberView {
  id: string;
  userId: string;
  email: string;
  name: string | null;
  role: string;
  since: Date;
}

export class MemberUnknown extends DomainError {
  constructor(readonly memberId: string) {
    super('member-unknown', `There is no member ${memberId}.`);
  }
}

export class LastAdmin extends DomainError {
  constructor() {
    super('last-admin', 'This is the last admin of the account. Make somebody else admin first.');
  }
}

/** Who may sign in for an account, oldest first; removed ones not counted. */
export async function membersOfCustomer(app: Needs<'db'>, customerId: string): Promise<MemberView[]> {
  const rows = await app.db.member.findMany({
    where: { customerId, removedAt: null },
    include: { user: true },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  return rows.map(({ id, userId, role, createdAt, user }) => ({
    id,
    userId,
    email: user.email,
    name: user.name,
    role,
    since: createdAt,
  }));
}

/** The mail address behind a user's id, as the audit log names people; null for an unknown one. */
export async function emailOfUser(app: Needs<'db'>, userId: string): Promise<string | null> {
  const user = await app.db.user.findUnique({ where: { id: userId }, select: { email: true } });
  return user?.email ?? null;
}

/**
 * Takes a person's place in an account away. Whoever has no other place left is signed out everywhere at once.
 *
 * @throws {MemberUnknown} {LastAdmin} since an account without an admin could never invite one
 */
export async function removeMember(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { memberId, by }: { memberId: string; by: Actor },
): Promise<void> {
  await transact(app, async (tx) => {
    const known = await tx.member.findUnique({ where: { id: memberId }, select: { customerId: true } });
    if (!known) throw new MemberUnknown(memberId);
    // Two admins who remove each other at once must not both succeed.
    await lockRows(tx, 'customers', [known.customerId]);
    const member = await tx.member.findUniqueOrThrow({ where: { id: memberId } });
    if (member.removedAt) return;
    const others = { customerId: member.customerId, role: 'admin', removedAt: null, id: { not: memberId } };
    if (member.role === 'admin' && (await tx.member.count({ where: others })) === 0) throw new LastAdmin();

    await tx.member.update({ where: { id: memberId }, data: { removedAt: app.clock.now() } });
    await record(app, tx, {
      action: 'member.removed',
      by,
      customerId: member.customerId,
      data: { memberId, userId: member.userId, role: member.role },
    });
    const placesLeft =
      (await tx.member.count({ where: { userId: member.userId, removedAt: null } })) +
      (await tx.staff.count({ where: { userId: member.userId, removedAt: null } }));
    if (placesLeft === 0) await endSessionsOf(app, tx, { userId: member.userId, by, reason: 'member-removed' });
  });
}
