import { Client, type Pool } from 'pg';

/** Says for how long each worker of this process lives, so that nobody waits for the jobs of a dead one. */
export interface Presence {
  /** Before the worker takes its first job. */
  announce(workerId: string): Promise<void>;
  /** The connection is gone, and with it the word that these workers live. */
  lost: Promise<void>;
  leave(): Promise<void>;
}

/**
 * Every worker holds a session advisory lock under its id. A `kill -9` or a power cut ends the session and so the lock,
 * and its jobs are free at once; the queue itself would hold them locked for four hours.
 */
export async function openPresence(databaseUrl: string): Promise<Presence> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'latchkey-worker' });
  const lost = new Promise<void>((resolve) => {
    client.on('error', () => resolve());
    client.on('end', () => resolve());
  });
  await client.connect();
  let announced: Promise<unknown> = Promise.resolve();
  return {
    lost,
    announce: async (workerId) => {
      // Workers start together, and a connection takes one query at a time.
      announced = announced.then(() =>
        client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockName(workerId)]),
      );
      await announced;
    },
    leave: () => client.end(),
  };
}

/** Gives back the jobs of workers that are no more; the number of workers they were taken from. */
export async function freeAbandonedJobs(pool: Pool): Promise<number> {
  // One statement is one transaction: the locks tried here are let go when it ends.
  const { rows } = await pool.query<{ freed: number }>(`
    with holders as materialized (
      select distinct locked_by as id from graphile_worker._private_jobs where locked_by is not null
    ), dead as materialized (
      select id from holders where pg_try_advisory_xact_lock(hashtextextended('${lockName('')}' || id, 0))
    ), freed as materialized (
      select graphile_worker.force_unlock_workers(array_agg(id)), count(*)::int as count from dead having count(*) > 0
    )
    select coalesce(max(count), 0)::int as freed from freed`);
  return rows[0]?.freed ?? 0;
}

function lockName(workerId: string): string {
  return `latchkey-worker:${workerId}`;
}
