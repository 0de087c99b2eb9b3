import type { EventData } from './canonical';

/** Every action of the audit log. Persisted: names are added, never changed. `subject.past-participle`. */
export type GateAction = 'repository.read' | 'metadata.read' | 'archive.downloaded' | 'install.reported';

export type ChangeAction =
  | 'license.issued'
  | 'license.renewed'
  | 'license.lapsed'
  | 'license.suspended'
  | 'license.reinstated'
  | 'license.refunded'
  | 'license.revoked'
  | 'license.transferred'
  | 'credential.issued'
  | 'credential.rotated'
  | 'credential.renewed'
  | 'credential.combined'
  | 'credential.revoked'
  | 'credential.overlap-ended'
  | 'product.created'
  | 'product.changed'
  | 'package.created'
  | 'release.published'
  | 'release.withdrawn'
  | 'release.restored'
  | 'purchase.paid'
  | 'purchase.refunded'
  | 'purchase.partly-refunded'
  | 'purchase.disputed'
  | 'customer.created'
  | 'member.added'
  | 'member.removed'
  | 'staff.invited'
  | 'staff.removed'
  | 'session.started'
  | 'session.ended'
  | 'audit.exported'
  | 'audit.month-dropped'
  | 'alert.raised'
  | 'alert.answered'
  | 'settings.changed';

export type AuditAction = GateAction | ChangeAction;

/** Who did it, as stored in `actor`. */
export type Actor =
  | { kind: 'system' }
  | { kind: 'cli' }
  | { kind: 'stripe' }
  | { kind: 'member'; userId: string }
  | { kind: 'staff'; userId: string };

/** `staff:usr_…`, `member:usr_…`, `stripe`, `system` or `cli`. */
export function actorText(actor: Actor): string {
  return 'userId' in actor ? `${actor.kind}:${actor.userId}` : actor.kind;
}

/** One change, written in the transaction that makes it. `data` holds ids and small facts, never secrets or whole rows. */
export interface Change {
  action: ChangeAction;
  by: Actor;
  customerId?: string | null;
  licenseId?: string | null;
  credentialId?: string | null;
  package?: string | null;
  version?: string | null;
  reason?: string | null;
  ip?: string | null;
  userAgent?: string | null;
  data?: EventData;
}
