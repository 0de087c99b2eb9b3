import type { Tx } from '../db/client';
import { newEventId } from '../kit/ids';
import { maskSecrets } from '../kit/secret';
import type { Needs } from '../ports/app';
import { actorText, type Change } from './events';

/** Writes audit events in the caller's transaction, so that a change is as durable as the record of it. */
export async function record(app: Needs<'clock' | 'env'>, tx: Tx, ...changes: Change[]): Promise<void> {
  const at = app.clock.now();
  await tx.$executeRaw`select audit_ensure_month(${at}::timestamptz)`;
  await tx.auditEvent.createMany({
    data: changes.map((change, index) => ({
      at,
      id: newEventId(at.getTime(), index),
      action: change.action,
      verdict: null,
      reason: change.reason ? maskSecrets(change.reason) : null,
      ip: change.ip ?? null,
      userAgent: change.userAgent ? maskSecrets(change.userAgent) : null,
      username: null,
      credentialId: change.credentialId ?? null,
      licenseId: change.licenseId ?? null,
      customerId: change.customerId ?? null,
      package: change.package ?? null,
      version: change.version ?? null,
      node: app.env.nodeName,
      actor: actorText(change.by),
      data: change.data ?? undefined,
    })),
  });
}
