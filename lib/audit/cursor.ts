import type { Pool, PoolClient, QueryResultRow } from 'pg';

const FETCH_ROWS = 500;

/**
 * One reader's view of the database that does not move: every query inside sees the same instant. Nothing is written,
 * and the connection is let go at the end.
 */
export async function* inSnapshot<T>(
  pool: Pool,
  read: (client: PoolClient) => AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
  const client = await pool.connect();
  let finished = false;
  try {
    await client.query('begin isolation level repeatable read read only');
    yield* read(client);
    await client.query('commit');
    finished = true;
  } finally {
    // Whoever stops reading half-way leaves a transaction behind; it ends with its connection.
    client.release(!finished);
  }
}

/** A query's rows in batches, through a cursor of the server, so that any number of them fits into little memory. */
export async function* batches<Row extends QueryResultRow>(
  client: PoolClient,
  text: string,
  values: readonly unknown[] = [],
): AsyncGenerator<Row[], void> {
  await client.query(`declare audit_cursor no scroll cursor for ${text}`, [...values]);
  for (;;) {
    const { rows } = await client.query<Row>(`fetch ${FETCH_ROWS} from audit_cursor`);
    if (rows.length > 0) yield rows;
    if (rows.length < FETCH_ROWS) break;
  }
  await client.query('close audit_cursor');
}
