import { expect, test } from 'vitest';
import { record } from '../../lib/audit/record';
import { transact } from '../../lib/db/transact';
import { aTestApp } from '../support/test-app';

test('a change and the record of it are kept or lost together', async () => {
  const app = await aTestApp();
  const issue = (fails: boolean) =>
    transact(app, async (tx) => {
      await tx.customer.create({ data: { id: `cus_${fails}`, createdAt: app.clock.now() } });
      await record(app, tx, { action: 'customer.created', by: { kind: 'cli' }, customerId: `cus_${fails}` });
      if (fails) throw new Error('the change went wrong afterwards');
    });

  await issue(false);
  await expect(issue(true)).rejects.toThrow('went wrong');

  const events = await app.db.auditEvent.findMany();
  expect(events.map((event) => [event.action, event.customerId, event.actor, event.at.toISOString()])).toEqual([
    ['customer.created', 'cus_false', 'cli', '2026-11-22T10:00:00.000Z'],
  ]);
});

test('a secret that a person typed into a reason is stored masked', async () => {
  const app = await aTestApp();
  const secret = 'lk_live_000000000000000000000000000000004cjNQE';
  await transact(app, (tx) =>
    record(app, tx, { action: 'license.revoked', by: { kind: 'cli' }, reason: `leaked ${secret}` }),
  );
  expect((await app.db.auditEvent.findFirstOrThrow()).reason).toBe('leaked lk_live_[masked]');
});
