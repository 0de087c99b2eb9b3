import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type JournalFiles, openJournal } from '../../lib/audit/journal';
import { type Shipper, startShipper } from '../../lib/audit/shipper';
import type { Pool as AppPool } from '../../lib/db/client';
import { lockRows } from '../../lib/db/locks';
import { transact } from '../../lib/db/transact';
import { silentLog } from '../../lib/kit/log';
import { aGateEvent, appended } from '../support/gate-events';
import { aTestApp, type TestApp } from '../support/test-app';

async function aGate(): Promise<{ app: TestApp; journal: JournalFiles; folder: string }> {
  const app = await aTestApp();
  const folder = join(app.dataFolder, 'journal');
  const journal = openJournal({ folder, nodeName: 'main', clock: app.clock, log: silentLog, reserveBytes: 0 });
  onTestFinished(() => journal.close());
  return { app, journal, folder };
}

function shipping(app: TestApp, journal: JournalFiles, pool: AppPool = app.pool): Shipper {
  const shipper = startShipper({ pool, keys: app.keys, log: silentLog, journal });
  onTestFinished(() => shipper.stop());
  return shipper;
}

async function aCredential(app: TestApp, id: string) {
  await app.db.customer.upsert({
    where: { id: 'cus_1' },
    create: { id: 'cus_1', createdAt: app.clock.now() },
    update: {},
  });
  const now = app.clock.now();
  return app.db.credential.create({
    data: { id, customerId: 'cus_1', username: `lk-${id}`, secretHash: '-', issuedAt: now, changedAt: now },
  });
}

function segmentFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.journal'));
}

test('what the gate decided is in the table soon, by itself', async () => {
  const { app, journal } = await aGate();
  shipping(app, journal);
  await appended(journal, aGateEvent({ userAgent: 'a "quoted" \\ agent, ü 🎼', version: '1.2.0' }));
  await vi.waitFor(async () => expect(await app.db.auditEvent.count()).toBe(1), { timeout: 10_000, interval: 20 });
  const { id, proof, ...event } = await app.db.auditEvent.findFirstOrThrow();
  expect(id).toMatch(/^evt_[0-9a-z]{20}$/);
  expect(proof).toHaveLength(32);
  expect(event).toEqual({
    ...aGateEvent({ userAgent: 'a "quoted" \\ agent, ü 🎼', version: '1.2.0' }),
    at: app.clock.now(),
    node: 'main',
    actor: null,
    data: null,
  });
});

test('a journal that is shipped a second time adds nothing, and shipped segments go', async () => {
  const { app, journal, folder } = await aGate();
  for (let each = 0; each < 20; each++) await appended(journal);
  await shipping(app, journal).drain();
  expect(await app.db.auditEvent.count()).toBe(20);

  // Killed before it could remove what it had shipped: the next life finds the whole segment again.
  await journal.close();
  const again = openJournal({ folder, nodeName: 'main', clock: app.clock, log: silentLog, reserveBytes: 0 });
  onTestFinished(() => again.close());
  expect(again.segments()).toHaveLength(1);
  await appended(again);
  const second = shipping(app, again);
  await second.drain();
  expect(await app.db.auditEvent.count()).toBe(21);
  expect(segmentFiles(folder)).toEqual(['00000002.journal']);
  // The last words before a shutdown are shipped too.
  const last = appended(again);
  await second.stop();
  await last;
  expect(await app.db.auditEvent.count()).toBe(22);
  expect(segmentFiles(folder)).toEqual([]);
});

test('half an event at the end of a segment is left out; what stands before and after it arrives', async () => {
  const { app, journal, folder } = await aGate();
  await appended(journal);
  await appended(journal);
  await journal.close();
  appendFileSync(join(folder, '00000001.journal'), '1234abcd [1795687200000,"evt_torn","metadata.re');

  const next = openJournal({ folder, nodeName: 'main', clock: app.clock, log: silentLog, reserveBytes: 0 });
  onTestFinished(() => next.close());
  await appended(next);
  await shipping(app, next).drain();
  expect(await app.db.auditEvent.count()).toBe(3);
});

test('a damaged line is left out alone', async () => {
  const { app, journal, folder } = await aGate();
  await appended(journal);
  await journal.close();
  const path = join(folder, '00000001.journal');
  appendFileSync(path, '00000000 [1795687200000,"evt_damaged","metadata.read"]\n');
  appendFileSync(path, `\n${'\0'.repeat(40)}\n`);
  const next = openJournal({ folder, nodeName: 'main', clock: app.clock, log: silentLog, reserveBytes: 0 });
  onTestFinished(() => next.close());
  await appended(next);
  await shipping(app, next).drain();
  expect(await app.db.auditEvent.count()).toBe(2);
});

test('while the database is away events wait, and arrive once it is back', async () => {
  const { app, journal } = await aGate();
  const away = new Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 500 });
  onTestFinished(() => away.end());
  const first = shipping(app, journal, away);
  for (let each = 0; each < 50; each++) await appended(journal);
  await expect(first.drain()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(first.backlogBytes()).toBeGreaterThan(10_000);
  await first.stop();
  expect(await app.db.auditEvent.count()).toBe(0);

  const back = shipping(app, journal);
  await back.drain();
  expect(await app.db.auditEvent.count()).toBe(50);
  expect(back.backlogBytes()).toBe(0);
});

test('a connection that dies under the shipper costs no event', async () => {
  const { app, journal } = await aGate();
  const shipper = shipping(app, journal);
  for (let round = 0; round < 10; round++) {
    for (let each = 0; each < 20; each++) await appended(journal);
    await app.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
  }
  await vi.waitFor(() => shipper.drain(), { timeout: 5_000 });
  expect(await app.db.auditEvent.count()).toBe(200);
});

test('events of a month that has no table yet make it', async () => {
  const { app, journal } = await aGate();
  for (const instant of ['2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-02-01T00:00:00.000Z']) {
    app.clock.set(instant);
    await appended(journal);
  }
  await shipping(app, journal).drain();
  const months = await app.db.auditMonth.findMany({ orderBy: { month: 'asc' } });
  expect(months.map((each) => each.month.toISOString().slice(0, 7))).toEqual(['2026-11', '2026-12', '2027-02']);
});

test('an event that the table refuses is set aside, and holds up none of its neighbours', async () => {
  const { app, journal, folder } = await aGate();
  await app.pool.query(`alter table audit_events add constraint no_nine check (version <> '9.9.9')`);
  for (let each = 0; each < 10; each++) await appended(journal, aGateEvent({ version: `${each}.${each}.${each}` }));
  await shipping(app, journal).drain();
  expect(await app.db.auditEvent.count()).toBe(9);
  expect(readdirSync(folder)).toContain('refused.jsonl');
});

test('the last use of a credential is noted once a minute, never backwards, and is no change of it', async () => {
  const { app, journal } = await aGate();
  const credential = await aCredential(app, 'crd_1');
  const shipper = shipping(app, journal);
  const use = async (instant: string, facts: Parameters<typeof aGateEvent>[0] = {}) => {
    app.clock.set(instant);
    await appended(journal, aGateEvent({ credentialId: 'crd_1', ...facts }));
    await shipper.drain();
    const { lastValidatedAt, lastUsedIp, lastUserAgent, changedAt } = await app.db.credential.findUniqueOrThrow({
      where: { id: 'crd_1' },
    });
    expect(changedAt).toEqual(credential.changedAt);
    return [lastValidatedAt?.toISOString().slice(11, 19), lastUsedIp, lastUserAgent];
  };

  expect(await use('2026-11-22T10:00:00Z', { verdict: 'refused', reason: 'not-covered' })).toEqual([
    undefined,
    null,
    null,
  ]);
  expect(await use('2026-11-22T10:01:00Z', { ip: '192.0.2.1', userAgent: 'one' })).toEqual([
    '10:01:00',
    '192.0.2.1',
    'one',
  ]);
  expect(await use('2026-11-22T10:01:59Z', { ip: '192.0.2.2' })).toEqual(['10:01:00', '192.0.2.1', 'one']);
  expect(await use('2026-11-22T10:02:00Z', { ip: '192.0.2.3', userAgent: 'two' })).toEqual([
    '10:02:00',
    '192.0.2.3',
    'two',
  ]);
  expect(await use('2026-11-22T09:00:00Z', { ip: '192.0.2.4' })).toEqual(['10:02:00', '192.0.2.3', 'two']);
});

// An install must not wait for a transaction that a customer's click holds open.
test('a credential that is being changed does not hold up the log, and its use is noted afterwards', async () => {
  const { app, journal } = await aGate();
  await aCredential(app, 'crd_1');
  const shipper = shipping(app, journal);
  await transact(app, async (tx) => {
    await lockRows(tx, 'credentials', ['crd_1']);
    await appended(journal, aGateEvent({ credentialId: 'crd_1' }));
    await shipper.drain();
    expect(await app.db.auditEvent.count()).toBe(1);
  });
  await vi.waitFor(async () => {
    const { lastValidatedAt } = await app.db.credential.findUniqueOrThrow({ where: { id: 'crd_1' } });
    expect(lastValidatedAt).toEqual(app.clock.now());
  }, 10_000);
});

test('a gate that is killed under load, while it ships, loses no answered event and doubles none', async () => {
  const { app, folder } = await aGate();
  const script = join(import.meta.dirname, '../support/journal-writer.ts');
  const answered: string[] = [];
  for (let life = 1; life <= 3; life++) {
    const gate = spawn(process.execPath, ['--import', 'tsx', script, folder, app.databaseUrl, String(life)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const killAfter = 1_000 + Math.floor(Math.random() * 3_000);
    let seen = 0;
    for await (const line of createInterface({ input: gate.stdout })) {
      const [, version] = /^answered (\S+);$/.exec(line) ?? [];
      if (version) answered.push(version);
      seen += 1;
      if (seen === killAfter) gate.kill('SIGKILL');
    }
    if (gate.signalCode === null) await once(gate, 'exit');
    expect(gate.signalCode).toBe('SIGKILL');
  }
  const before = await app.db.auditEvent.count();

  const heir = openJournal({ folder, nodeName: 'main', clock: app.clock, log: silentLog, reserveBytes: 0 });
  onTestFinished(() => heir.close());
  await shipping(app, heir).drain();
  const rows = await app.db.auditEvent.findMany({ select: { version: true } });
  const stored = new Set(rows.map((row) => row.version));
  expect(stored.size).toBe(rows.length);
  expect(answered.filter((version) => !stored.has(version))).toEqual([]);
  expect(answered.length).toBeGreaterThan(3_000);
  // Else no life was cut off between writing and shipping, and the test showed nothing.
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(rows.length);
});
