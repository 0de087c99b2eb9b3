import { expect, test } from 'vitest';
import { countVerdicts } from '../../lib/audit/counts';
import { findEvent } from '../../lib/audit/find';
import { DAY, HOUR } from '../../lib/kit/clock';
import { newEventId } from '../../lib/kit/ids';
import { aTestApp, TEST_START, type TestApp } from '../support/test-app';

async function gateEvents(
  app: TestApp,
  events: { at: Date; verdict: string | null; ip?: string }[],
): Promise<string[]> {
  const rows = events.map((event, index) => ({
    id: newEventId(event.at.getTime(), index),
    action: 'metadata.read',
    node: 'main',
    ...event,
  }));
  for (const { at } of rows) await app.pool.query('select audit_ensure_month($1::timestamptz)', [at]);
  await app.db.auditEvent.createMany({ data: rows });
  return rows.map((row) => row.id);
}

test('requests are counted by hour, without gaps, and only those that were asked for', async () => {
  const app = await aTestApp();
  const at = (minutes: number) => new Date(TEST_START.getTime() + minutes * 60_000);
  await gateEvents(app, [
    { at: at(0), verdict: 'admitted' },
    { at: at(59), verdict: 'admitted', ip: '203.0.113.7' },
    { at: at(59), verdict: 'refused' },
    { at: at(59), verdict: null },
    { at: at(130), verdict: 'refused', ip: '203.0.113.7' },
    { at: at(180), verdict: 'refused' },
  ]);
  const window = { since: TEST_START, until: new Date(TEST_START.getTime() + 3 * HOUR) };
  const count = async (ip?: string) =>
    (await countVerdicts(app, { ...window, ip }))?.buckets.map((each) => [each.admitted, each.refused]);

  expect(await count()).toEqual([
    [2, 1],
    [0, 0],
    [0, 1],
  ]);
  expect(await count('203.0.113.7')).toEqual([
    [1, 0],
    [0, 0],
    [0, 1],
  ]);
});

test('over more than three days requests are counted by day of UTC', async () => {
  const app = await aTestApp();
  await gateEvents(app, [
    { at: new Date('2026-11-18T23:59:59.999Z'), verdict: 'admitted' },
    { at: new Date('2026-11-19T00:00:00.000Z'), verdict: 'admitted' },
  ]);
  const counted = await countVerdicts(app, { since: new Date('2026-11-18T12:00:00Z'), until: TEST_START });
  expect(counted?.bucketMs).toBe(DAY);
  expect(counted?.buckets.map((each) => [each.from.toISOString().slice(0, 10), each.admitted])).toEqual([
    ['2026-11-18', 1],
    ['2026-11-19', 1],
    ['2026-11-20', 0],
    ['2026-11-21', 0],
    ['2026-11-22', 0],
  ]);
});

test('an event is found by its id alone', async () => {
  const app = await aTestApp();
  const [id] = await gateEvents(app, [{ at: new Date('2026-10-31T23:59:59.999Z'), verdict: 'refused' }]);
  expect(await findEvent(app, id!)).toMatchObject({ id, at: '2026-10-31T23:59:59.999Z', verdict: 'refused' });
  expect(await findEvent(app, newEventId(TEST_START.getTime()))).toBeNull();
  expect(await findEvent(app, `evt_${'z'.repeat(20)}`)).toBeNull();
  expect(await findEvent(app, "evt_'; drop table")).toBeNull();
});
