import type { AuditAction, ChangeAction, GateAction } from './events';
import type { AuditEventView, AuditRecord } from './search';

type Described = AuditEventView & Partial<Pick<AuditRecord, 'actor' | 'data'>>;

const GATE_LABELS: Record<GateAction, string> = {
  'repository.read': 'Repository read',
  'metadata.read': 'Metadata read',
  'archive.downloaded': 'Archive downloaded',
  'install.reported': 'Install reported',
};

/** What a gate event did, or was kept from doing. */
const GATE_DEEDS: Record<GateAction, { did: string; wanted: string }> = {
  'repository.read': { did: 'read the list of packages', wanted: 'the list of packages' },
  'metadata.read': { did: 'read the versions of {package}', wanted: 'the versions of {package}' },
  'archive.downloaded': { did: 'downloaded {package} {version}', wanted: '{package} {version}' },
  'install.reported': { did: 'installed {package} {version}', wanted: 'a report of installing {package} {version}' },
};

/** Label in lists, and the sentence's beginning; names in braces are the event's fields. */
const CHANGES: Record<ChangeAction, { label: string; phrase: string }> = {
  'license.issued': { label: 'License issued', phrase: 'License {licenseId} was issued' },
  'license.renewed': { label: 'License renewed', phrase: 'License {licenseId} was renewed' },
  'license.lapsed': { label: 'License lapsed', phrase: 'License {licenseId} lapsed' },
  'license.suspended': { label: 'License suspended', phrase: 'License {licenseId} was suspended' },
  'license.reinstated': { label: 'License reinstated', phrase: 'License {licenseId} was reinstated' },
  'license.refunded': { label: 'License refunded', phrase: 'License {licenseId} ended with a refund' },
  'license.revoked': { label: 'License revoked', phrase: 'License {licenseId} was revoked' },
  'license.transferred': { label: 'License transferred', phrase: 'License {licenseId} went to another customer' },
  'credential.issued': { label: 'Credential issued', phrase: 'Credential {credentialId} was issued' },
  'credential.rotated': { label: 'Credential rotated', phrase: 'Credential {credentialId} was replaced' },
  'credential.renewed': { label: 'Credential renewed', phrase: 'Credential {credentialId} was renewed' },
  'credential.combined': {
    label: 'Credential combined',
    phrase: 'Credential {credentialId} was bound to more licenses',
  },
  'credential.revoked': { label: 'Credential revoked', phrase: 'Credential {credentialId} was revoked' },
  'credential.overlap-ended': { label: 'Overlap ended', phrase: 'The overlap of credential {credentialId} ended' },
  'product.created': { label: 'Product created', phrase: 'A product was created' },
  'product.changed': { label: 'Product changed', phrase: 'A product was changed' },
  'package.created': { label: 'Package created', phrase: 'Package {package} was created' },
  'release.published': { label: 'Release published', phrase: 'Release {package} {version} was published' },
  'release.withdrawn': { label: 'Release withdrawn', phrase: 'Release {package} {version} was withdrawn' },
  'release.restored': { label: 'Release restored', phrase: 'Release {package} {version} was restored' },
  'purchase.paid': { label: 'Purchase paid', phrase: 'A purchase was paid' },
  'purchase.refunded': { label: 'Purchase refunded', phrase: 'A purchase was refunded in full' },
  'purchase.partly-refunded': { label: 'Purchase partly refunded', phrase: 'A part of a purchase was refunded' },
  'purchase.disputed': { label: 'Purchase disputed', phrase: 'A purchase was disputed' },
  'customer.created': { label: 'Customer created', phrase: 'Customer {customerId} was created' },
  'member.added': { label: 'Member added', phrase: 'A member was added to {customerId}' },
  'member.removed': { label: 'Member removed', phrase: 'A member was removed from {customerId}' },
  'staff.invited': { label: 'Staff invited', phrase: 'A person was invited to the staff' },
  'staff.removed': { label: 'Staff removed', phrase: 'A person was removed from the staff' },
  'session.started': { label: 'Signed in', phrase: 'A session was started' },
  'session.ended': { label: 'Signed out', phrase: 'A session was ended' },
  'audit.exported': { label: 'Audit exported', phrase: 'The audit log was exported' },
  'audit.month-dropped': { label: 'Audit month dropped', phrase: 'A past month of the audit log was dropped' },
  'alert.raised': { label: 'Alert raised', phrase: 'An alert was raised' },
  'alert.answered': { label: 'Alert answered', phrase: 'An alert was answered' },
  'settings.changed': { label: 'Settings changed', phrase: 'Settings were changed' },
};

/** Why the gate refused. Reasons of changes are people's own words and stay as they are. */
const REASONS: Record<string, string> = {
  'no-credential': 'no credential was sent',
  'malformed-credential': 'the credential was mistyped or cut off',
  'wrong-credential': 'the credential is unknown or wrong',
  'credential-revoked': 'the credential was revoked',
  'credential-rotated': 'the credential was replaced by a new one',
  'credential-overlap-over': 'the credential was replaced, and its overlap is over',
  'credential-expired': 'the credential has expired',
  'address-not-allowed': 'the credential may not be used from this address',
  'no-license': 'the credential opens no license',
  'license-refunded': 'the license was refunded',
  'license-revoked': 'the license was revoked',
  'license-suspended': 'the license is suspended',
  'license-lapsed': 'the license has lapsed',
  'not-covered': 'no license of this credential covers the package',
  'newer-than-term': 'the release is newer than the term of the license',
  'outside-constraint': 'the license does not cover this version',
  'below-stability': 'the license does not cover versions of this stability',
  'unknown-package': 'there is no such package',
  'unknown-version': 'there is no such version',
  'unknown-path': 'there is nothing at this address',
  withdrawn: 'the release was withdrawn',
  'unreadable-request': 'the request could not be read',
  'too-many-wrong-credentials': 'too many wrong credentials came from this address',
  'too-many-requests': 'too many requests',
  'database-away': 'the database was away',
  'archive-away': 'the archive could not be read',
};

const ACTORS: Record<string, string> = {
  staff: 'by staff',
  member: 'by a member of the account',
  stripe: 'after a notice of Stripe',
  system: 'by Latchkey itself',
  cli: 'on the command line',
};

/** Every action's short name, those of the gate first; for filters. */
export function actionLabels(): { action: AuditAction; label: string }[] {
  return [...Object.keys(GATE_LABELS), ...Object.keys(CHANGES)].map((action) => ({
    action: action as AuditAction,
    label: actionLabel(action),
  }));
}

/** A short name for lists; an action of a newer version is shown by its own name. */
export function actionLabel(action: string): string {
  return GATE_LABELS[action as GateAction] ?? CHANGES[action as ChangeAction]?.label ?? action;
}

/** Why, in words; text that is no reason of the gate's stays as it was written. */
export function reasonLabel(reason: string): string {
  return REASONS[reason] ?? reason;
}

/** What happened, in one plain sentence. The facts beside it (time, address, agent) are left to columns. */
export function describeEvent(event: Described): string {
  const deed = GATE_DEEDS[event.action as GateAction];
  return deed ? describeRequest(event, deed) : describeChange(event);
}

function describeRequest(event: Described, deed: { did: string; wanted: string }): string {
  const who = event.username || event.credentialId || event.ip || 'Somebody';
  const count = event.data?.count;
  const why = event.reason ? `: ${reasonLabel(event.reason)}` : '';
  if (typeof count === 'number') {
    const times = count === 1 ? 'once' : `${count} times`;
    return `${event.ip ?? who} was turned away ${times} within a minute${why}.`;
  }
  if (event.verdict === 'admitted') return `${who} ${filled(deed.did, event)}.`;
  return `${who} was refused ${filled(deed.wanted, event)}${why}.`;
}

function describeChange(event: Described): string {
  const phrase = CHANGES[event.action as ChangeAction]?.phrase ?? `${event.action} happened`;
  const by = ACTORS[event.actor?.split(':')[0] ?? ''];
  const why = event.reason ? `: ${reasonLabel(event.reason)}` : '';
  return `${filled(phrase, event)}${by ? ` ${by}` : ''}${why.replace(/\.$/, '')}.`;
}

/** Puts the event's fields into a phrase; what the event does not say leaves no hole. */
function filled(phrase: string, event: Described): string {
  return phrase
    .replace(/\{(\w+)\}/g, (_, field: string) => String(event[field as keyof AuditEventView] ?? ''))
    .replace(/ {2,}/g, ' ')
    .trim();
}
