import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Head, thinned } from '../../lib/audit/heads';
import { storeEvents } from '../../lib/audit/record';
import { dropMonth } from '../../lib/audit/retention';
import { sealNow, startSealer } from '../../lib/audit/sealer';
import { verifyAudit } from '../../lib/audit/verify';
import { transact } from '../../lib/db/transact';
import { newEventId } from '../../lib/kit/ids';
import type { Log } from '../../lib/kit/log';
import { keyRing } from '../../lib/kit/seal';
import { aGateEvent } from '../support/gate-events';
import { aTestApp, type TestApp } from '../support/test-app';

async function log(app: TestApp, count: number): Promise<void> {
  const at = app.clock.now().getTime();
  const rows = Array.from({ length: count }, (_, index) => ({
    ...aGateEvent({ version: `1.0.${index}` }),
    at: at + index,
    id: newEventId(at + index),
    node: 'main',
    actor: null,
    data: index % 2 ? { zebra: 1, count: index, list: ['b', 'a'], 'ä"': 1e21, nothing: null } : null,
  }));
  await transact(app, (tx) => storeEvents(app, tx, rows));
  app.clock.advance(count);
}

/** Ten sealed events of November 2026. */
async function aSealedLog(): Promise<{ app: TestApp; ids: string[] }> {
  const app = await aTestApp();
  await log(app, 10);
  expect(await sealNow(app)).toBe(10);
  const seals = await app.db.auditSeal.findMany({ orderBy: { sequence: 'asc' } });
  return { app, ids: seals.map((seal) => seal.id) };
}

async function damage(app: TestApp) {
  const { ok, damage, damageCount } = await verifyAudit(app);
  expect(ok).toBe(damage.length === 0);
  expect(damageCount).toBe(damage.length);
  return damage.map(({ kind, month, sequence, eventId }) => ({ kind, month, sequence, eventId }));
}

const month = '2026-11';

test('an untouched log verifies, sealed or not', async () => {
  const { app } = await aSealedLog();
  await log(app, 3);
  const oldestAt = new Date(app.clock.now().getTime() - 3).toISOString();
  expect(await verifyAudit(app)).toMatchObject({
    ok: true,
    damage: [],
    sealed: 10,
    months: [{ month, sealed: 10, dropped: false, damaged: 0 }],
    unsealedTail: { rows: 3, oldestAt },
  });
  await sealNow(app);
  expect(await verifyAudit(app)).toMatchObject({ ok: true, sealed: 13, unsealedTail: { rows: 0, oldestAt: null } });
});

test('late events and those of other months get their places too', async () => {
  const { app } = await aSealedLog();
  app.clock.set('2026-12-01T00:00:00Z');
  await log(app, 4);
  await sealNow(app);
  app.clock.set('2026-11-01T00:00:00Z');
  await log(app, 4);
  await sealNow(app);
  expect(await verifyAudit(app)).toMatchObject({
    ok: true,
    months: [
      { month: '2026-11', sealed: 14 },
      { month: '2026-12', sealed: 4 },
    ],
  });
});

test('two sealers at once give every event one place', async () => {
  const app = await aTestApp();
  await log(app, 300);
  await Promise.all(Array.from({ length: 4 }, () => sealNow(app)));
  expect(await verifyAudit(app)).toMatchObject({ ok: true, sealed: 300 });
});

test('the running sealer seals by itself', async () => {
  const app = await aTestApp();
  await log(app, 5);
  const sealer = startSealer(app);
  onTestFinished(() => sealer.stop());
  await expect.poll(() => app.db.auditSeal.count(), { timeout: 3_000 }).toBe(5);
});

test('a changed event is found', async () => {
  const { app, ids } = await aSealedLog();
  await app.pool.query(`update audit_events set ip = '192.0.2.66' where id = $1`, [ids[3]]);
  await app.pool.query(`update audit_events set data = '{"count": 6}' where id = $1`, [ids[5]]);
  expect(await damage(app)).toEqual([
    { kind: 'changed', month, sequence: 4, eventId: ids[3] },
    { kind: 'changed', month, sequence: 6, eventId: ids[5] },
  ]);
});

test('an event that was moved to another instant is told as changed', async () => {
  const { app, ids } = await aSealedLog();
  await app.pool.query(`update audit_events set at = at + interval '1 hour' where id = $1`, [ids[3]]);
  expect(await damage(app)).toEqual([{ kind: 'changed', month, sequence: 4, eventId: ids[3] }]);
});

test('a removed event is found, with its seal or without', async () => {
  const { app, ids } = await aSealedLog();
  await app.pool.query('delete from audit_events where id = any($1)', [[ids[2], ids[6]]]);
  await app.pool.query('delete from audit_seals where sequence = 7');
  expect(await damage(app)).toEqual([
    { kind: 'removed', month, sequence: 3, eventId: ids[2] },
    { kind: 'removed', month, sequence: 7, eventId: null },
  ]);
});

test('an event that another hand inserted is found, before and after it is sealed', async () => {
  const { app, ids } = await aSealedLog();
  const forge = (id: string, proof: string) =>
    app.pool.query(
      `insert into audit_events select at, $2, action, verdict, reason, ip, user_agent, username, credential_id, license_id,
         customer_id, package, version, node, actor, data, ${proof} from audit_events where id = $1`,
      [ids[4], id],
    );
  await forge('evt_plain', 'null');
  await forge('evt_copied', 'proof');
  expect((await damage(app)).map((each) => [each.kind, each.eventId])).toEqual([
    ['inserted', 'evt_copied'],
    ['inserted', 'evt_plain'],
  ]);
  await sealNow(app);
  expect(await damage(app)).toEqual([
    { kind: 'changed', month, sequence: 11, eventId: 'evt_copied' },
    { kind: 'inserted', month, sequence: 12, eventId: 'evt_plain' },
  ]);
});

test('an event that was put into the month behind the sealer is found', async () => {
  const { app, ids } = await aSealedLog();
  await app.pool.query(`insert into audit.events_2026_11 select at, 'evt_quiet', action, verdict, reason, ip, user_agent,
    username, credential_id, license_id, customer_id, package, version, node, actor, data, proof
    from audit_events where id = '${ids[4]}'`);
  expect(await damage(app)).toEqual([{ kind: 'inserted', month, sequence: null, eventId: 'evt_quiet' }]);
});

test('events that changed places are found', async () => {
  const { app, ids } = await aSealedLog();
  await app.pool.query(`update audit_seals s set at = o.at, id = o.id from audit_seals o
    where (s.sequence, o.sequence) in ((3, 8), (8, 3))`);
  expect(await damage(app)).toEqual([
    { kind: 'reordered', month, sequence: 3, eventId: ids[7] },
    { kind: 'reordered', month, sequence: 8, eventId: ids[2] },
  ]);
});

test('a month that vanished is found, with its row or without', async () => {
  const { app } = await aSealedLog();
  await app.pool.query('drop table audit.events_2026_11, audit.seals_2026_11');
  expect(await damage(app)).toEqual([{ kind: 'month-dropped', month, sequence: null, eventId: null }]);
  await app.pool.query(`update audit_months set dropped_at = '2026-12-24'`);
  expect(await damage(app)).toEqual([{ kind: 'month-dropped', month, sequence: null, eventId: null }]);
  await app.pool.query('delete from audit_months');
  expect(await damage(app)).toEqual([{ kind: 'month-dropped', month, sequence: null, eventId: null }]);
});

test('a month that was dropped as it should be leaves its count and its end, and verifies', async () => {
  const { app } = await aSealedLog();
  const by = { kind: 'cli' } as const;
  await expect(dropMonth(app, { month: app.clock.now(), by })).rejects.toMatchObject({ code: 'month-still-needed' });
  await log(app, 1);
  app.clock.set('2027-01-15T00:00:00Z');
  await expect(dropMonth(app, { month: new Date('2026-11-01'), by })).rejects.toThrow(/1 of them are not sealed/);
  await sealNow(app);
  await dropMonth(app, { month: new Date('2026-11-20'), by });
  await sealNow(app);
  expect(await verifyAudit(app)).toMatchObject({
    ok: true,
    months: [
      { month: '2026-11', sealed: 11, dropped: true },
      { month: '2027-01', sealed: 1, dropped: false },
    ],
  });
  await app.pool.query(`update audit_months set rows = 10 where dropped_at is not null`);
  expect(await damage(app)).toEqual([{ kind: 'month-dropped', month, sequence: null, eventId: null }]);
});

// Whoever holds the database can cut the end off without a trace inside it; only the heads outside tell.
test('a chain that was set back is found, also after it grew again', async () => {
  const alarms: string[] = [];
  const { app } = await aSealedLog();
  const alarmed = { ...app, log: { ...app.log, error: (sentence: string) => alarms.push(sentence) } as Log };
  await app.pool.query(
    `delete from audit_events where (at, id) in (select at, id from audit_seals where sequence > 6)`,
  );
  await app.pool.query('delete from audit_seals where sequence > 6');
  await app.pool.query('update audit_months set rows = 6, head = (select mac from audit_seals where sequence = 6)');
  expect(await damage(app)).toEqual([{ kind: 'rolled-back', month, sequence: 7, eventId: null }]);

  await log(app, 20);
  await sealNow(alarmed);
  expect(alarms).toEqual([expect.stringMatching(/set back behind event 10/)]);
  expect(await damage(app)).toEqual([{ kind: 'rolled-back', month, sequence: 10, eventId: null }]);

  // Thinning the heads out does not lose what shows it.
  const file = join(app.dataFolder, 'journal/heads.jsonl');
  const heads = readFileSync(file, 'utf8').trim().split('\n');
  appendFileSync(file, `${heads.at(-1)}\n`.repeat(5_000));
  await log(app, 1);
  await sealNow(app);
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(10);
  expect(await damage(app)).toEqual([{ kind: 'rolled-back', month, sequence: 10, eventId: null }]);
});

test('a chain whose end was cut off is found also where the heads are lost', async () => {
  const { app } = await aSealedLog();
  rmSync(join(app.dataFolder, 'journal/heads.jsonl'));
  await app.pool.query('delete from audit_seals where sequence > 8');
  expect((await damage(app)).filter((each) => each.kind === 'removed')).toEqual([
    { kind: 'removed', month, sequence: 9, eventId: null },
  ]);
});

test('sealing goes on over damage, so that nothing waits for ever', async () => {
  const { app } = await aSealedLog();
  await app.pool.query('delete from audit_months');
  await log(app, 2);
  expect(await sealNow(app)).toBe(2);
  expect(
    (await app.db.auditSeal.findMany())
      .map((seal) => Number(seal.sequence))
      .sort((a, b) => a - b)
      .at(-1),
  ).toBe(12);
});

test('a log that was written under two keys verifies while both are known, and says so where one is not', async () => {
  const { app, ids } = await aSealedLog();
  const [older, newer] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)];
  await log(app, 1);
  app.keys = keyRing(newer, [older]);
  await log(app, 2);
  await sealNow(app);
  expect(await verifyAudit(app)).toMatchObject({ ok: true, sealed: 13 });

  await app.pool.query(`update audit_events set ip = null where id = $1`, [ids[0]]);
  expect(await damage(app)).toEqual([{ kind: 'changed', month, sequence: 1, eventId: ids[0] }]);

  app.keys = keyRing(newer);
  expect(await damage(app)).toEqual([{ kind: 'key-unknown', month, sequence: 1, eventId: null }]);
});

test('damage is told in sentences', async () => {
  const { app, ids } = await aSealedLog();
  await app.pool.query('update audit_events set ip = null where id = $1', [ids[3]]);
  await app.pool.query('delete from audit_seals where sequence in (6, 7)');
  const { damage } = await verifyAudit(app);
  expect(damage.map((each) => each.sentence)).toEqual([
    `Event ${ids[3]} (number 4 of 2026-11) does not say any more what was written.`,
    'Event number 6 of 2026-11 and those up to number 7 are gone with their seals.',
    `Event ${ids[5]} of 2026-11 has no place in the chain and waits for none.`,
    `Event ${ids[6]} of 2026-11 has no place in the chain and waits for none.`,
  ]);
});

test('heads are thinned to one per month and one per hour of the last 31 days', () => {
  const at = (instant: string, rows: number, evidence = false): Head => ({
    month: '2026-11-01T00:00:00.000Z',
    rows,
    mac: '',
    keyId: '',
    sealedAt: instant,
    ...(evidence ? { evidence: true } : {}),
  });
  const heads = [
    at('2026-10-01T09:00:00.000Z', 1),
    at('2026-10-01T10:00:00.000Z', 2, true),
    at('2026-11-22T09:00:00.000Z', 3),
    at('2026-11-22T09:59:59.000Z', 4),
    at('2026-11-22T10:00:00.000Z', 5),
  ];
  expect(thinned(heads).map((head) => head.rows)).toEqual([2, 4, 5]);
});
