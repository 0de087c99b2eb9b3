import type { Tx } from '../db/client';
import { newEventId } from '../kit/ids';
import type { Needs } from '../ports/app';
import { canonical, type EventData, type EventRow } from './canonical';
import { cleaned, cleanedOrNull } from './cleaning';
import { actorText, type Change } from './events';
import { proofOf } from './proof';

/** Writes audit events in the caller's transaction, so that a change is as durable as the record of it. */
export async function record(app: Needs<'clock' | 'env' | 'keys'>, tx: Tx, ...changes: Change[]): Promise<void> {
  const at = app.clock.now().getTime();
  const rows = changes.map((change, index) => changeRow(change, at, index, app.env.nodeName));
  await storeEvents(app, tx, rows);
}

/** Writes whole events of any instant, each with its proof; for history that is brought in, `record` is for what happens now. */
export async function storeEvents(app: Needs<'keys'>, tx: Tx, rows: readonly EventRow[]): Promise<void> {
  for (const month of new Set(rows.map((row) => new Date(row.at).toISOString().slice(0, 7)))) {
    await tx.$executeRaw`select audit_ensure_month(${`${month}-01T00:00:00Z`}::timestamptz)`;
  }
  await tx.auditEvent.createMany({
    data: rows.map((row) => ({
      ...row,
      at: new Date(row.at),
      data: row.data ?? undefined,
      proof: Uint8Array.from(proofOf(app.keys.current, canonical(row))),
    })),
  });
}

function changeRow(change: Change, at: number, index: number, node: string): EventRow {
  return {
    at,
    id: newEventId(at, index),
    action: change.action,
    verdict: null,
    reason: cleanedOrNull(change.reason),
    ip: cleanedOrNull(change.ip),
    userAgent: cleanedOrNull(change.userAgent),
    username: null,
    credentialId: change.credentialId ?? null,
    licenseId: change.licenseId ?? null,
    customerId: change.customerId ?? null,
    package: cleanedOrNull(change.package),
    version: cleanedOrNull(change.version),
    node,
    actor: actorText(change.by),
    data: change.data ? cleanedData(change.data) : null,
  };
}

function cleanedData(data: EventData): EventData {
  const clean = (value: EventData[string]) => {
    if (typeof value === 'string') return cleaned(value);
    return Array.isArray(value) ? value.map(cleaned) : value;
  };
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, clean(value)]));
}
