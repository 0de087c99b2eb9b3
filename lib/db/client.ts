import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { type Prisma, PrismaClient } from './generated/client';

export type Db = PrismaClient;
/** What runs inside `transact`: the same queries, one transaction. */
export type Tx = Prisma.TransactionClient;
export type { Pool };

export interface Database {
  db: Db;
  /** The pool under `db`, for the few statements that want no ORM. */
  pool: Pool;
  replicas: Pool[];
  close(): Promise<void>;
}

/** Connections are made on first use, so opening never fails and never waits. Each pool holds at most `connections`. */
export function openDatabase(primaryUrl: string, replicaUrls: readonly string[] = [], connections = 10): Database {
  const open = (url: string) => {
    const pool = new Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      application_name: 'latchkey',
    });
    // An idle connection that dies (database restarted) emits here; the next query opens another and reports its own fate.
    pool.on('error', () => undefined);
    return pool;
  };
  const pool = open(primaryUrl);
  const replicas = replicaUrls.map(open);
  const db = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' });
  return {
    db,
    pool,
    replicas,
    close: async () => {
      await db.$disconnect();
      await Promise.all([pool, ...replicas].map((each) => (each.ended ? undefined : each.end())));
    },
  };
}

/**
 * A pool for the gate: few connections, and a query or a connection that takes longer than half a second is given up,
 * with its connection, so that a frozen database costs one slow answer and leaves nothing hanging.
 */
export function openGatePool(url: string, connections = 6, timeoutMs = 500): Pool {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 60_000,
    application_name: 'latchkey-gate',
  });
  pool.on('error', () => undefined);
  return pool;
}
