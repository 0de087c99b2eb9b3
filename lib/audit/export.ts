import { stringify } from 'csv-stringify/sync';
import type { Needs } from '../ports/app';
import { batches, inSnapshot } from './cursor';
import { EVENT_COLUMNS, type RawEvent } from './rows';
import { type AuditEventView, type AuditFilter, auditEventView, conditions } from './search';

export type ExportFormat = 'csv' | 'jsonl';

const COLUMNS = [
  'id',
  'at',
  'action',
  'verdict',
  'reason',
  'ip',
  'userAgent',
  'username',
  'credentialId',
  'licenseId',
  'customerId',
  'package',
  'version',
  'node',
] as const satisfies readonly (keyof AuditEventView)[];

/**
 * Every event that fits, oldest first, as it stood when the export began; memory stays flat whatever its size, and the
 * database is read only as fast as the text is taken. CSV has a header row, and cells that a spreadsheet would run as a
 * formula begin with an apostrophe. JSONL has one event per line in the shape of the contract.
 */
export async function* exportEvents(
  app: Needs<'pool'>,
  filter: AuditFilter,
  format: ExportFormat,
): AsyncGenerator<string, void> {
  const write = format === 'csv' ? csv : jsonl;
  if (format === 'csv') yield `${COLUMNS.join(',')}\n`;
  const where = conditions(filter);
  const query = `select ${EVENT_COLUMNS} from audit_events e ${where.sql()} order by e.at, e.id`;
  yield* inSnapshot(app.pool, async function* (client) {
    for await (const rows of batches<RawEvent>(client, query, where.values)) {
      yield write(rows.map(auditEventView));
    }
  });
}

function csv(events: AuditEventView[]): string {
  // https://owasp.org/www-community/attacks/CSV_Injection: a user agent is a stranger's text, and opens in Excel.
  return stringify(events, { columns: [...COLUMNS], escape_formulas: true });
}

function jsonl(events: AuditEventView[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}
