import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import { lockName } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import { newId } from '../kit/ids';
import { paths } from '../paths';
import type { Needs } from '../ports/app';
import { parseEmail } from './customers';
import { isStaffRole, type StaffRole } from './permissions';
import { mailSignIn } from './sign-in';

export interface StaffMember {
  id: string;
  userId: string;
  email: string;
  role: StaffRole;
}

export class StaffAddressUnreadable extends DomainError {
  constructor(readonly email: string) {
    super('staff-address-unreadable', `"${email}" is no mail address. Nobody was invited.`);
  }
}

export class StaffRoleUnknown extends DomainError {
  constructor(readonly role: string) {
    super('staff-role-unknown', `There is no staff role "${role}". Choose owner, support or auditor.`);
  }
}

/**
 * Makes a person staff, or gives staff another role, and mails a sign-in link in the same transaction. An invitation
 * that changes nothing is not recorded again, but the mail goes out, since that is what was asked for.
 *
 * @throws {StaffAddressUnreadable} {StaffRoleUnknown}
 */
export async function inviteStaff(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { email: asked, role, by }: { email: string; role: string; by: Actor },
): Promise<StaffMember> {
  const email = parseEmail(asked);
  if (!email) throw new StaffAddressUnreadable(asked);
  if (!isStaffRole(role)) throw new StaffRoleUnknown(role);
  return transact(app, async (tx) => {
    // Shared with `customerForEmail`: a purchase and an invitation at once make one user.
    await lockName(tx, `customer:${email}`);
    const now = app.clock.now();
    const user = await tx.user.upsert({
      where: { email },
      create: { id: newId('usr'), email, createdAt: now },
      update: {},
    });
    const before = await tx.staff.findUnique({ where: { userId: user.id } });
    const staff = await tx.staff.upsert({
      where: { userId: user.id },
      create: { id: newId('stf'), userId: user.id, role, createdAt: now },
      update: { role, removedAt: null },
    });
    if (!before || before.removedAt || before.role !== role) {
      await record(app, tx, {
        action: 'staff.invited',
        by,
        data: {
          staffId: staff.id,
          userId: user.id,
          role,
          roleBefore: before?.removedAt ? null : (before?.role ?? null),
        },
      });
    }
    await mailSignIn(app, tx, { email, next: paths.console() });
    return { id: staff.id, userId: user.id, email, role };
  });
}
