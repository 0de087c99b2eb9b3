import type { Pool, PoolClient, QueryResultRow } from 'pg';

const ANSWER_MS_MAX = 30_000;

/** One statement, given up after 30 s: a server that is frozen answers neither yes nor no, and background work must end. */
export async function ask<Row extends QueryResultRow>(
  on: Pool | PoolClient,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const statement = { text, values, query_timeout: ANSWER_MS_MAX };
  return (await on.query<Row>(statement)).rows;
}
