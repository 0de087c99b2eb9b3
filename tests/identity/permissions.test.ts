import { expect, test } from 'vitest';
import { MEMBER_MAY, memberRoleMay, STAFF_MAY, staffRoleMay } from '../../lib/identity/permissions';

test('billing people see licenses and refund, but touch no credential', () => {
  expect(memberRoleMay('billing', 'license.read')).toBe(true);
  expect(memberRoleMay('billing', 'purchase.refund')).toBe(true);
  expect(memberRoleMay('billing', 'credential.rotate')).toBe(false);
  expect(memberRoleMay('billing', 'credential.combine')).toBe(false);
});

test('developers rotate and combine, but move no money and no people', () => {
  expect(memberRoleMay('developer', 'credential.rotate')).toBe(true);
  expect(memberRoleMay('developer', 'credential.combine')).toBe(true);
  expect(memberRoleMay('developer', 'purchase.refund')).toBe(false);
  expect(memberRoleMay('developer', 'member.manage')).toBe(false);
});

test('an admin may whatever anyone in the account may', () => {
  for (const action of Object.values(MEMBER_MAY).flat()) expect(memberRoleMay('admin', action)).toBe(true);
});

test('auditors read and export, only the owner manages staff, and no role at all may nothing', () => {
  expect(STAFF_MAY.auditor.every((action) => /\.(read|export)$/.test(action))).toBe(true);
  expect(staffRoleMay('support', 'customer.change')).toBe(true);
  expect(staffRoleMay('support', 'staff.manage')).toBe(false);
  expect(staffRoleMay('owner', 'staff.manage')).toBe(true);
  expect(staffRoleMay(null, 'audit.read')).toBe(false);
  // Names that every object has must not pass for roles.
  expect(staffRoleMay('constructor', 'audit.read')).toBe(false);
  expect(memberRoleMay('toString', 'license.read')).toBe(false);
});
