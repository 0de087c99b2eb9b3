import type { Actor } from '../audit/events';
import { MINUTE } from '../kit/clock';
import { DomainError } from '../kit/errors';
import { tokenHash } from '../kit/seal';
import type { Needs } from '../ports/app';
import {
  isMemberRole,
  isStaffRole,
  type MemberAction,
  type MemberRole,
  memberRoleMay,
  type StaffAction,
  type StaffRole,
  staffRoleMay,
} from './permissions';

export class RoleNotEnough extends DomainError {
  constructor(readonly membership: Membership | null) {
    super('role-not-enough', `${roleSentence(membership)} Nothing was changed.`);
  }
}

/** Whoever is signed in now, with every place they have. */
export interface Viewer {
  sessionId: string;
  userId: string;
  email: string;
  name: string | null;
  /** Oldest first. */
  memberships: Membership[];
  staffRole: StaffRole | null;
}

export interface Membership {
  customerId: string;
  /** The account's company, name or mail address, whichever is known first. */
  customerName: string;
  role: MemberRole;
}

interface SessionRow {
  sessionId: string;
  lastSeenAt: Date | null;
  userId: string;
  email: string;
  name: string | null;
  staffRole: string | null;
  memberships: { customerId: string; customerName: string; role: string }[];
}

/**
 * Who holds this session token, read in one query: a page asks it on every request, and an ended session, a removed
 * member or a changed role counts from the next request on.
 *
 * @returns null for a token that is unknown, ended or expired, and for a person who has no place left here.
 */
export async function viewerFromToken(app: Needs<'db' | 'clock'>, token: string): Promise<Viewer | null> {
  const now = app.clock.now();
  const [row] = await app.db.$queryRaw<SessionRow[]>`
    select s.id as "sessionId", s.last_seen_at as "lastSeenAt", u.id as "userId", u.email, u.name,
      st.role as "staffRole",
      coalesce((
        select json_agg(json_build_object(
          'customerId', m.customer_id,
          'customerName', coalesce(c.company, c.name, c.email, 'Your account'),
          'role', m.role
        ) order by m.created_at, m.id)
        from members m join customers c on c.id = m.customer_id
        where m.user_id = u.id and m.removed_at is null
      ), '[]'::json) as memberships
    from sessions s
    join users u on u.id = s.user_id
    left join staff st on st.user_id = u.id and st.removed_at is null
    where s.token_hash = ${tokenHash(token)} and s.ended_at is null and s.expires_at > ${now}`;
  if (!row) return null;
  const viewer: Viewer = {
    sessionId: row.sessionId,
    userId: row.userId,
    email: row.email,
    name: row.name,
    memberships: row.memberships.flatMap(({ role, ...account }) => (isMemberRole(role) ? [{ ...account, role }] : [])),
    staffRole: isStaffRole(row.staffRole) ? row.staffRole : null,
  };
  if (viewer.memberships.length === 0 && !viewer.staffRole) return null;
  if (!row.lastSeenAt || now.getTime() - row.lastSeenAt.getTime() >= MINUTE) {
    await app.db.session.updateMany({ where: { id: row.sessionId, endedAt: null }, data: { lastSeenAt: now } });
  }
  return viewer;
}

/** Whether the viewer's role in this account allows it; false for an account they are no member of. */
export function memberMay(viewer: Viewer, customerId: string, action: MemberAction): boolean {
  const membership = membershipIn(viewer, customerId);
  return membership !== null && memberRoleMay(membership.role, action);
}

/** The viewer's place in an account; null for an account they are no member of. */
export function membershipIn(viewer: Viewer, customerId: string): Membership | null {
  return viewer.memberships.find((each) => each.customerId === customerId) ?? null;
}

/** Why a control is shown but cannot be used, for whoever has a place in the account but not the role. */
export function roleSentence(membership: Membership | null): string {
  return membership
    ? `Your role in ${membership.customerName} is ${membership.role}, which does not include this. Ask an admin of the account.`
    : 'You have no place in this account.';
}

export function staffMay(viewer: Viewer, action: StaffAction): boolean {
  return staffRoleMay(viewer.staffRole, action);
}

/** How the audit log names what a viewer does in an account of theirs. */
export function asMember(viewer: Viewer): Actor {
  return { kind: 'member', userId: viewer.userId };
}

/** How the audit log names what a viewer does in the console. */
export function asStaff(viewer: Viewer): Actor {
  return { kind: 'staff', userId: viewer.userId };
}
