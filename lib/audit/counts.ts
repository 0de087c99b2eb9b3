import { DAY, HOUR } from '../kit/clock';
import { errorCode } from '../kit/errors';
import type { Needs } from '../ports/app';
import { type AuditFilter, conditions } from './search';

export interface VerdictCount {
  /** The bucket's first instant; buckets stand on whole hours or days of UTC. */
  from: Date;
  admitted: number;
  refused: number;
}

export interface VerdictCounts {
  bucketMs: number;
  /** Without gaps, oldest first. */
  buckets: VerdictCount[];
}

/** Counting is a help to the eye; a page must not wait longer for it. */
const COUNT_MS_MAX = 1_500;

const QUERY_CANCELED = '57014';

/**
 * Admitted and refused gate events over time, by hour up to three days and by day beyond. `since` and `until` bound it,
 * the other parts of the filter hold as in a search.
 *
 * @returns null where counting takes too long to be worth it; a narrower filter is quicker.
 */
export async function countVerdicts(
  app: Needs<'pool'>,
  filter: AuditFilter & { since: Date; until: Date },
): Promise<VerdictCounts | null> {
  const bucketMs = filter.until.getTime() - filter.since.getTime() > 3 * DAY ? DAY : HOUR;
  const first = Math.floor(filter.since.getTime() / bucketMs) * bucketMs;
  const where = conditions(filter);
  where.add(() => 'e.verdict is not null');
  const rows = await quickly(
    app,
    `select floor(extract(epoch from e.at) * 1000 / ${bucketMs})::bigint as bucket, e.verdict, count(*) as events
      from audit_events e ${where.sql()} group by 1, 2`,
    where.values,
  );
  if (!rows) return null;
  const buckets = new Map<number, VerdictCount>();
  for (let from = first; from < filter.until.getTime(); from += bucketMs) {
    buckets.set(from, { from: new Date(from), admitted: 0, refused: 0 });
  }
  for (const row of rows) {
    const bucket = buckets.get(Number(row.bucket) * bucketMs);
    if (bucket && (row.verdict === 'admitted' || row.verdict === 'refused')) bucket[row.verdict] = Number(row.events);
  }
  return { bucketMs, buckets: [...buckets.values()] };
}

interface CountRow {
  bucket: string;
  verdict: string;
  events: string;
}

async function quickly(app: Needs<'pool'>, text: string, values: unknown[]): Promise<CountRow[] | null> {
  const client = await app.pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin read only');
    await client.query(`set local statement_timeout = ${COUNT_MS_MAX}`);
    const { rows } = await client.query<CountRow>(text, values);
    await client.query('commit');
    return rows;
  } catch (error) {
    if (errorCode(error) === QUERY_CANCELED) {
      await client.query('rollback');
      return null;
    }
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}
