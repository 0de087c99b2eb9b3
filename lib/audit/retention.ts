import { lockName } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import type { Needs } from '../ports/app';
import type { Actor } from './events';
import { monthName, monthOf, monthTables } from './months';
import { record } from './record';
import { closingFacts } from './verify';

export class MonthStillNeeded extends DomainError {
  constructor(month: Date, why: string) {
    super('month-still-needed', `The audit events of ${monthName(month)} cannot be dropped: ${why}.`);
  }
}

/**
 * Drops a past month of audit events. Its count and the end of its chain stay on record, in its row and in an event of
 * today's chain, so that `verifyAudit` can tell a dropped month from a stolen one. A month dropped before stays so.
 *
 * @throws PostgreSQL's 55P03 where an export is being read for longer than 3 s; nothing was dropped then
 * @throws {MonthStillNeeded} for the present month, one that has none, or one whose events are not all sealed yet
 */
export async function dropMonth(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { month: within, by }: { month: Date; by: Actor },
): Promise<void> {
  const { from, to } = monthOf(within);
  const month = new Date(from);
  const now = app.clock.now();
  if (to > now.getTime()) throw new MonthStillNeeded(month, 'it is not over');
  await transact(app, async (tx) => {
    // Dropping waits for whoever reads the log, and everybody who writes to it would wait behind: rather give up.
    await tx.$executeRaw`set local lock_timeout = '3s'`;
    await lockName(tx, 'audit-sealer');
    const row = await tx.auditMonth.findUnique({ where: { month } });
    if (!row) throw new MonthStillNeeded(month, 'there are none');
    if (row.droppedAt) return;
    const waiting = await tx.auditUnsealed.count({ where: { at: { gte: month, lt: new Date(to) } } });
    if (waiting > 0) throw new MonthStillNeeded(month, `${waiting} of them are not sealed yet`);
    await tx.auditMonth.update({ where: { month }, data: { droppedAt: now } });
    const facts = closingFacts({ month, rows: String(row.rows), head: row.head && Buffer.from(row.head) });
    await record(app, tx, { action: 'audit.month-dropped', by, data: facts });
    const tables = monthTables(month);
    await tx.$executeRawUnsafe(`drop table ${tables.events}`);
    await tx.$executeRawUnsafe(`drop table ${tables.seals}`);
  });
}
