/** What a person may do, by role; the one place where that is decided. Unknown roles may nothing. */

export type MemberRole = 'admin' | 'developer' | 'billing';
export type StaffRole = 'owner' | 'support' | 'auditor';

export type MemberAction =
  | 'license.read'
  | 'credential.read'
  | 'credential.rotate'
  | 'credential.combine'
  | 'credential.revoke'
  | 'purchase.refund'
  | 'member.manage';

export type StaffAction = 'audit.read' | 'audit.export' | 'customer.read' | 'customer.change' | 'staff.manage';

export const MEMBER_MAY: Record<MemberRole, readonly MemberAction[]> = {
  admin: [
    'license.read',
    'credential.read',
    'credential.rotate',
    'credential.combine',
    'credential.revoke',
    'purchase.refund',
    'member.manage',
  ],
  developer: ['license.read', 'credential.read', 'credential.rotate', 'credential.combine', 'credential.revoke'],
  billing: ['license.read', 'credential.read', 'purchase.refund'],
};

export const STAFF_MAY: Record<StaffRole, readonly StaffAction[]> = {
  owner: ['audit.read', 'audit.export', 'customer.read', 'customer.change', 'staff.manage'],
  support: ['audit.read', 'audit.export', 'customer.read', 'customer.change'],
  auditor: ['audit.read', 'audit.export', 'customer.read'],
};

export function memberRoleMay(role: string, action: MemberAction): boolean {
  return isMemberRole(role) && MEMBER_MAY[role].includes(action);
}

export function staffRoleMay(role: string | null, action: StaffAction): boolean {
  return isStaffRole(role) && STAFF_MAY[role].includes(action);
}

export function isMemberRole(role: string): role is MemberRole {
  return Object.hasOwn(MEMBER_MAY, role);
}

export function isStaffRole(role: string | null): role is StaffRole {
  return role !== null && Object.hasOwn(STAFF_MAY, role);
}
