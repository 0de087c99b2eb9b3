import type { EventData, EventRow } from './canonical';

/** An event's columns as `RawEvent` wants them: names of EventRow, the instant in milliseconds. */
export const EVENT_COLUMNS = `(extract(epoch from e.at) * 1000)::bigint as "at", e.id as "id", e.action as "action",
  e.verdict as "verdict", e.reason as "reason", e.ip as "ip", e.user_agent as "userAgent", e.username as "username",
  e.credential_id as "credentialId", e.license_id as "licenseId", e.customer_id as "customerId",
  e.package as "package", e.version as "version", e.node as "node", e.actor as "actor", e.data as "data"`;

/** bigint arrives as text, jsonb parsed. */
export interface RawEvent extends Omit<EventRow, 'at' | 'data'> {
  at: string;
  data: EventData | null;
}

export function eventRow(raw: RawEvent): EventRow {
  return {
    at: Number(raw.at),
    id: raw.id,
    action: raw.action,
    verdict: raw.verdict,
    reason: raw.reason,
    ip: raw.ip,
    userAgent: raw.userAgent,
    username: raw.username,
    credentialId: raw.credentialId,
    licenseId: raw.licenseId,
    customerId: raw.customerId,
    package: raw.package,
    version: raw.version,
    node: raw.node,
    actor: raw.actor,
    data: raw.data,
  };
}
