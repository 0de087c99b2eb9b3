import type { Actor } from '../../lib/audit/events';
import { record } from '../../lib/audit/record';
import { transact } from '../../lib/db/transact';
import type { StaffRole } from '../../lib/identity/permissions';
import { newId } from '../../lib/kit/ids';
import type { App } from '../../lib/ports/app';

const STAFF: { email: string; name: string; role: StaffRole }[] = [
  { email: 'owner@demo.test', name: 'Olga Ahlers', role: 'owner' },
  { email: 'support@demo.test', name: 'Samir Haddad', role: 'support' },
  { email: 'auditor@demo.test', name: 'Aino Virtanen', role: 'auditor' },
];

/** Who may sign in, for the lines that are printed; everybody gets the link in the outbox. */
export const SIGN_INS: { email: string; role: string }[] = [
  ...STAFF.map(({ email, role }) => ({ email, role })),
  { email: 'agency@demo.test', role: 'customer with eleven licenses' },
  { email: 'shop@demo.test', role: 'customer with one license' },
];

/** The vendor's own people. Nobody is mailed. Returns the owner, who did what staff did. */
export async function hireStaff(then: App): Promise<Actor> {
  return transact(then, async (tx) => {
    const now = then.clock.now();
    let owner: Actor = { kind: 'system' };
    for (const { email, name, role } of STAFF) {
      // Whoever was invited before the first start may bear one of these names.
      const user = await tx.user.upsert({
        where: { email },
        create: { id: newId('usr'), email, name, verifiedAt: now, createdAt: now },
        update: {},
      });
      const staff = await tx.staff.upsert({
        where: { userId: user.id },
        create: { id: newId('stf'), userId: user.id, role, createdAt: now },
        update: { role },
      });
      const data = { staffId: staff.id, userId: user.id, role, roleBefore: null };
      await record(then, tx, { action: 'staff.invited', by: owner, data });
      if (role === 'owner') owner = { kind: 'staff', userId: user.id };
    }
    return owner;
  });
}

/** A colleague in a customer's account. */
export async function addMember(
  then: App,
  { customerId, email, name, role }: { customerId: string; email: string; name: string; role: 'developer' | 'billing' },
): Promise<Actor> {
  return transact(then, async (tx) => {
    const now = then.clock.now();
    const user = await tx.user.upsert({
      where: { email },
      create: { id: newId('usr'), email, name, createdAt: now },
      update: {},
    });
    const member = await tx.member.create({
      data: { id: newId('mem'), customerId, userId: user.id, role, createdAt: now },
    });
    const by = await admin(then, customerId);
    await record(then, tx, {
      action: 'member.added',
      by,
      customerId,
      data: { memberId: member.id, userId: user.id, role },
    });
    return { kind: 'member', userId: user.id } as const;
  });
}

/** The first person of an account, as whoever did something for it. */
export async function admin(app: App, customerId: string): Promise<Actor> {
  const member = await app.db.member.findFirstOrThrow({ where: { customerId, role: 'admin' } });
  return { kind: 'member', userId: member.userId };
}
