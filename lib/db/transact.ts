import { errorCode } from '../kit/errors';
import type { Needs } from '../ports/app';
import type { Tx } from './client';

const ATTEMPTS = 4;
/** Prisma: write conflict or deadlock; PostgreSQL: serialization failure, deadlock. */
const RETRYABLE = new Set(['P2034', '40001', '40P01']);

/**
 * One transaction: everything `work` does, or nothing. No network inside. A deadlock or write conflict is tried again
 * from the start, so `work` may run more than once and must have no effect but its rows.
 */
export async function transact<T>(
  app: Needs<'db'> & Partial<Needs<'commits'>>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await app.db.$transaction(work, { maxWait: 10_000, timeout: 30_000 });
      if (app.commits) app.commits.count += 1;
      return answer;
    } catch (error) {
      if (attempt >= ATTEMPTS || !RETRYABLE.has(errorCode(error) ?? '')) throw error;
    }
  }
}
