import type { Needs } from '../ports/app';
import { EVENT_COLUMNS, eventRow, type RawEvent } from './rows';
import { type AuditRecord, auditEventView } from './search';

/** One event with actor and data; null for an id that is none of ours or whose month was dropped. */
export async function findEvent(app: Needs<'pool'>, id: string): Promise<AuditRecord | null> {
  // An id begins with its instant (kit/ids), so one partition is asked by its primary key.
  const [, instant] = /^evt_([0-9a-z]{9})[0-9a-z]{11}$/.exec(id) ?? [];
  if (!instant) return null;
  const at = new Date(Number.parseInt(instant, 36));
  if (Number.isNaN(at.getTime())) return null;
  const { rows } = await app.pool.query<RawEvent>(
    `select ${EVENT_COLUMNS} from audit_events e where e.at = $1::timestamptz and e.id = $2`,
    [at, id],
  );
  const [row] = rows.map(eventRow);
  return row ? { ...auditEventView(row), actor: row.actor, data: row.data } : null;
}
