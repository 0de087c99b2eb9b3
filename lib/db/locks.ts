import type { Tx } from './client';
import { Prisma } from './generated/client';

type Lockable = 'customers' | 'licenses' | 'credentials' | 'purchases' | 'packages' | 'products' | 'notices' | 'mails';

/**
 * Locks rows until the transaction ends, in id order so that two transactions never wait for each other in a circle.
 * Prisma's own queries cannot say FOR UPDATE.
 */
export async function lockRows(tx: Tx, table: Lockable, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$queryRaw`select id from ${Prisma.raw(table)} where id in (${Prisma.join([...ids])}) order by id for update`;
}

/** One holder at a time across all processes, until the transaction ends; waits for the present holder. */
export async function lockName(tx: Tx, name: string): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
}

/** As `lockName`, but answers false at once where somebody else holds it. */
export async function tryLockName(tx: Tx, name: string): Promise<boolean> {
  const rows = await tx.$queryRaw<
    { got: boolean }[]
  >`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as got`;
  return rows[0]?.got === true;
}
