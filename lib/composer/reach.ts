import type { Pool } from '../db/client';
import { errorMessage } from '../kit/errors';
import type { Needs } from '../ports/app';

/** A read that takes longer, connecting included, counts as "database away" (domain.md, Gate). */
export const READ_TIMEOUT_MS = 500;
const PROBE_INTERVAL_MS = 1_000;

/** Thrown in place of whatever the driver said; the driver's words are in the log. */
export class DatabaseAway extends Error {
  readonly code = 'database-away';
}

export interface Reach {
  /** Runs a read on the primary, or on a replica while the primary is away. @throws {DatabaseAway} */
  read<T>(work: (pool: Pool) => Promise<T>): Promise<T>;
  readonly state: 'up' | 'replica-only' | 'down';
  /** When the primary was lost, by `app.clock`; null while it is there. */
  readonly awaySince: Date | null;
  stop(): void;
}

/**
 * The gate's way to the database: pools that give up after half a second and a breaker that skips a lost database and
 * probes it each second, so that an outage costs one slow answer and not one for every client.
 *
 * @param pools the primary first, then replicas; they must end a query themselves after READ_TIMEOUT_MS
 */
export function openReach(app: Needs<'clock' | 'log'>, pools: readonly Pool[]): Reach {
  const lost = new Map<Pool, Date>();
  const probing = new Set<Pool>();

  const lose = (pool: Pool, error: unknown) => {
    if (lost.has(pool)) return;
    lost.set(pool, app.clock.now());
    app.log.error('The database is away; the gate goes on with what it remembers.', {
      database: pools.indexOf(pool) === 0 ? 'primary' : `replica ${pools.indexOf(pool)}`,
      error: errorMessage(error),
    });
  };

  const probe = async (pool: Pool) => {
    if (probing.has(pool)) return;
    probing.add(pool);
    try {
      await pool.query('select 1');
      lost.delete(pool);
      app.log.info('The database is back.', { database: pools.indexOf(pool) === 0 ? 'primary' : 'replica' });
    } catch (error) {
      app.log.debug('The database is still away.', { error: errorMessage(error) });
    } finally {
      probing.delete(pool);
    }
  };

  const timer = setInterval(() => {
    for (const pool of lost.keys()) void probe(pool);
  }, PROBE_INTERVAL_MS);
  timer.unref();

  return {
    async read(work) {
      for (const pool of pools) {
        if (lost.has(pool)) continue;
        try {
          return await work(pool);
        } catch (error) {
          lose(pool, error);
        }
      }
      throw new DatabaseAway('No database answered.');
    },
    get state() {
      const [primary] = pools;
      if (primary && !lost.has(primary)) return 'up';
      return pools.some((pool) => !lost.has(pool)) ? 'replica-only' : 'down';
    },
    get awaySince() {
      const [primary] = pools;
      return primary ? (lost.get(primary) ?? null) : null;
    },
    stop: () => clearInterval(timer),
  };
}
