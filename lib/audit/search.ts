import { DomainError } from '../kit/errors';
import type { Needs } from '../ports/app';
import type { EventData, EventRow } from './canonical';
import type { AuditAction } from './events';
import { EVENT_COLUMNS, type RawEvent } from './rows';

/** An event as the command line, the API and exports give it (contract: names and order of the JSON). */
export interface AuditEventView {
  id: string;
  /** RFC 3339 with milliseconds, UTC. */
  at: string;
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
}

/** The same with what only people look at: who did it, and the small facts. */
export interface AuditRecord extends AuditEventView {
  /** `staff:usr_…`, `member:usr_…`, `stripe`, `system`, `cli`; null for gate events. */
  actor: string | null;
  data: EventData | null;
}

/** Everything that is given must hold. `since` is inclusive, `until` exclusive. */
export interface AuditFilter {
  licenseId?: string | null;
  customerId?: string | null;
  credentialId?: string | null;
  since?: Date | null;
  until?: Date | null;
  action?: AuditAction | null;
  verdict?: 'admitted' | 'refused' | null;
  reason?: string | null;
  package?: string | null;
  ip?: string | null;
  username?: string | null;
}

export interface AuditPage {
  /** `next` of the page before. */
  cursor?: string | null;
  /** 1 to 500; default 50. */
  limit?: number;
}

export class CursorUnreadable extends DomainError {
  constructor() {
    super('cursor-unreadable', 'This page does not exist. Search again from the first page.');
  }
}

const LIMIT_MAX = 500;

/**
 * One page of events, newest first, in the shape of the contract. Paged by key: no page repeats or skips an event,
 * however many arrive meanwhile.
 *
 * @throws {CursorUnreadable} where the cursor is none of ours
 */
export async function searchEvents(
  app: Needs<'pool'>,
  filter: AuditFilter,
  page: AuditPage = {},
): Promise<{ events: AuditEventView[]; next: string | null }> {
  const found = await searchRecords(app, filter, page);
  return { events: found.records.map(({ actor: _actor, data: _data, ...view }) => view), next: found.next };
}

/** As `searchEvents`, with actor and data. */
export async function searchRecords(
  app: Needs<'pool'>,
  filter: AuditFilter,
  page: AuditPage = {},
): Promise<{ records: AuditRecord[]; next: string | null }> {
  const limit = Math.min(Math.max(Math.trunc(page.limit ?? 50), 1), LIMIT_MAX);
  const where = conditions(filter);
  if (page.cursor) {
    const { at, id } = readCursor(page.cursor);
    where.add((n) => `(e.at, e.id) < ($${n}::timestamptz, $${n + 1})`, new Date(at), id);
  }
  const { rows } = await app.pool.query<RawEvent>(
    `select ${EVENT_COLUMNS} from audit_events e ${where.sql()} order by e.at desc, e.id desc limit ${limit + 1}`,
    where.values,
  );
  const records = rows.slice(0, limit).map(auditRecord);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { records, next: last ? cursorAt(Number(last.at), last.id) : null };
}

/** `row`: as stored, or as it came from the database. */
export function auditRecord(row: EventRow | RawEvent): AuditRecord {
  return { ...auditEventView(row), actor: row.actor, data: row.data };
}

/** `row`: as stored, or as it came from the database. */
export function auditEventView(row: EventRow | RawEvent): AuditEventView {
  return {
    id: row.id,
    at: new Date(Number(row.at)).toISOString(),
    action: row.action,
    verdict: row.verdict,
    reason: row.reason,
    ip: row.ip,
    userAgent: row.userAgent,
    username: row.username,
    credentialId: row.credentialId,
    licenseId: row.licenseId,
    customerId: row.customerId,
    package: row.package,
    version: row.version,
    node: row.node,
  };
}

const EQUALITIES = {
  licenseId: 'license_id',
  customerId: 'customer_id',
  credentialId: 'credential_id',
  action: 'action',
  verdict: 'verdict',
  reason: 'reason',
  package: 'package',
  ip: 'ip',
  username: 'username',
} as const satisfies Partial<Record<keyof AuditFilter, string>>;

interface Conditions {
  values: unknown[];
  /** `text` is given the number of the first of its parameters. */
  add(text: (firstParameter: number) => string, ...values: unknown[]): void;
  /** Empty, or `where …`. */
  sql(): string;
}

/** A filter as SQL over `audit_events e`. */
export function conditions(filter: AuditFilter): Conditions {
  const texts: string[] = [];
  const values: unknown[] = [];
  const where: Conditions = {
    values,
    add: (text, ...more) => {
      texts.push(text(values.length + 1));
      values.push(...more);
    },
    sql: () => (texts.length > 0 ? `where ${texts.join(' and ')}` : ''),
  };
  for (const [name, column] of Object.entries(EQUALITIES)) {
    const wanted = filter[name as keyof typeof EQUALITIES];
    if (wanted != null) where.add((n) => `e.${column} = $${n}`, wanted);
  }
  if (filter.since) where.add((n) => `e.at >= $${n}::timestamptz`, filter.since);
  if (filter.until) where.add((n) => `e.at < $${n}::timestamptz`, filter.until);
  return where;
}

function cursorAt(at: number, id: string): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

function readCursor(cursor: string): { at: number; id: string } {
  const [, at, id] = /^(\d{1,15}) (\w{1,40})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (!at || !id) throw new CursorUnreadable();
  return { at: Number(at), id };
}
