/** A row of audit_events as it is stored; `at` in milliseconds since 1970. */
export interface EventRow {
  at: number;
  id: string;
  action: string;
  verdict: string | null;
  reason: string | null;
  ip: string | null;
  userAgent: string | null;
  username: string | null;
  credentialId: string | null;
  licenseId: string | null;
  customerId: string | null;
  package: string | null;
  version: string | null;
  node: string;
  actor: string | null;
  data: EventData | null;
}

export type EventData = Record<string, string | number | boolean | null | string[]>;

/**
 * The one spelling of an event that its proof is made of: a JSON array of every column in the order of `EventRow`, no
 * white space, `at` as a number, `data` with its keys sorted. The lines of the journal are written in it too, so the
 * shipper proves an event without parsing it.
 *
 * NEVER CHANGE: every event ever stored is verified against it.
 */
export function canonical(event: EventRow): string {
  return JSON.stringify([
    event.at,
    event.id,
    event.action,
    event.verdict,
    event.reason,
    event.ip,
    event.userAgent,
    event.username,
    event.credentialId,
    event.licenseId,
    event.customerId,
    event.package,
    event.version,
    event.node,
    event.actor,
    event.data && Object.fromEntries(Object.entries(event.data).sort(([a], [b]) => (a < b ? -1 : 1))),
  ]);
}
