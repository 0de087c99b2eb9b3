import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventRow } from '../../lib/audit/canonical';
import { actionLabels, describeEvent } from '../../lib/audit/describe';
import { exportEvents } from '../../lib/audit/export';
import { storeEvents } from '../../lib/audit/record';
import { type AuditFilter, searchEvents, searchRecords } from '../../lib/audit/search';
import { transact } from '../../lib/db/transact';
import { newEventId } from '../../lib/kit/ids';
import { aGateEvent } from '../support/gate-events';
import { aTestApp, TEST_START, type TestApp } from '../support/test-app';

function anEvent(facts: Partial<EventRow> = {}): EventRow {
  const at = facts.at ?? TEST_START.getTime();
  return { ...aGateEvent(), at, id: newEventId(at), node: 'main', actor: null, data: null, ...facts } as EventRow;
}

async function aLog(...rows: EventRow[]): Promise<TestApp> {
  const app = await aTestApp();
  await transact(app, (tx) => storeEvents(app, tx, rows));
  return app;
}

async function exported(app: TestApp, filter: AuditFilter, format: 'csv' | 'jsonl'): Promise<string> {
  let text = '';
  for await (const part of exportEvents(app, filter, format)) text += part;
  return text;
}

test('an event looks outside exactly as the contract says', async () => {
  const app = await aLog(anEvent({ id: 'evt_1', reason: 'not-covered', verdict: 'refused', at: 1_795_687_200_007 }));
  const expected =
    '{"id":"evt_1","at":"2026-11-26T10:00:00.007Z","action":"metadata.read","verdict":"refused","reason":"not-covered",' +
    '"ip":"203.0.113.9","userAgent":"Composer/2.8.1 (Linux; 6.1.0; PHP 8.3.1; cURL 8.5.0; Platform-PHP 8.2; CI)",' +
    '"username":"lk-forms-pro-a1b2c3d4","credentialId":"crd_0000000000000001","licenseId":"lic_0000000000000001",' +
    '"customerId":"cus_0000000000000001","package":"acme/forms-pro","version":null,"node":"main"}';
  const { events, next } = await searchEvents(app, {});
  expect(events.map((event) => JSON.stringify(event))).toEqual([expected]);
  expect(next).toBeNull();
  expect(await exported(app, {}, 'jsonl')).toBe(`${expected}\n`);
});

test('each filter finds its events and no others; since is inclusive, until is not', async () => {
  const at = TEST_START.getTime();
  const app = await aLog(
    anEvent({ id: 'evt_a', at, ip: '192.0.2.1', username: 'anna', package: 'acme/a', action: 'archive.downloaded' }),
    anEvent({ id: 'evt_b', at: at + 1, licenseId: 'lic_b', customerId: 'cus_b', credentialId: 'crd_b' }),
    anEvent({ id: 'evt_c', at: at + 2, verdict: 'refused', reason: 'license-refunded' }),
  );
  const found = async (filter: AuditFilter) => (await searchEvents(app, filter)).events.map((event) => event.id);
  expect(await found({})).toEqual(['evt_c', 'evt_b', 'evt_a']);
  expect(await found({ ip: '192.0.2.1' })).toEqual(['evt_a']);
  expect(await found({ username: 'anna' })).toEqual(['evt_a']);
  expect(await found({ package: 'acme/a' })).toEqual(['evt_a']);
  expect(await found({ action: 'archive.downloaded' })).toEqual(['evt_a']);
  expect(await found({ licenseId: 'lic_b' })).toEqual(['evt_b']);
  expect(await found({ customerId: 'cus_b' })).toEqual(['evt_b']);
  expect(await found({ credentialId: 'crd_b' })).toEqual(['evt_b']);
  expect(await found({ verdict: 'refused' })).toEqual(['evt_c']);
  expect(await found({ reason: 'license-refunded' })).toEqual(['evt_c']);
  expect(await found({ since: new Date(at + 1), until: new Date(at + 2) })).toEqual(['evt_b']);
  expect(await found({ verdict: 'admitted', licenseId: 'lic_b', ip: '192.0.2.1' })).toEqual([]);
});

test('pages neither skip nor repeat an event, also among events of one millisecond, and while others arrive', async () => {
  const at = TEST_START.getTime();
  const app = await aTestApp();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      async (offsets, limit) => {
        await app.pool.query('delete from audit_events');
        const rows = offsets.map((offset) => anEvent({ at: at + offset }));
        await transact(app, (tx) => storeEvents(app, tx, rows));
        const expected = rows.toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).map((row) => row.id);
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await searchEvents(app, {}, { cursor, limit });
          seen.push(...page.events.map((event) => event.id));
          cursor = page.next;
          await transact(app, (tx) => storeEvents(app, tx, [anEvent({ at: at + 10 })]));
        } while (cursor);
        expect(seen).toEqual(expected);
      },
    ),
    { numRuns: 25 },
  );
});

test('a cursor that is none of ours is refused', async () => {
  const app = await aTestApp();
  await expect(searchEvents(app, {}, { cursor: "1' or 1=1" })).rejects.toMatchObject({ code: 'cursor-unreadable' });
});

test('a spreadsheet that opens an export runs nothing that a stranger wrote', async () => {
  const agents = ['=cmd|calc', '+1', '-1', '@SUM(A1)', 'plain, "quoted"', '=HYPERLINK("http://evil")'];
  const at = TEST_START.getTime();
  const app = await aLog(
    ...agents.map((userAgent, index) => anEvent({ at: at + index, id: `evt_${index}`, userAgent })),
  );
  const lines = (await exported(app, {}, 'csv')).trimEnd().split('\n');
  expect(lines[0]).toBe(
    'id,at,action,verdict,reason,ip,userAgent,username,credentialId,licenseId,customerId,package,version,node',
  );
  expect(lines.slice(1).map((line) => line.split(',203.0.113.9,')[1]?.split(',lk-')[0])).toEqual([
    "'=cmd|calc",
    "'+1",
    "'-1",
    "'@SUM(A1)",
    '"plain, ""quoted"""',
    `"'=HYPERLINK(""http://evil"")"`,
  ]);
});

test('an export holds what was there when it began, is read in parts, and can be left half-way', async () => {
  const at = TEST_START.getTime();
  const app = await aLog(...Array.from({ length: 4_500 }, (_, index) => anEvent({ at: at + (index % 7) })));
  const parts: string[] = [];
  for await (const part of exportEvents(app, {}, 'jsonl')) {
    if (parts.length === 0) await transact(app, (tx) => storeEvents(app, tx, [anEvent({ at: at + 100 })]));
    parts.push(part);
  }
  expect(parts).toHaveLength(9);
  const ids = parts
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  expect(new Set(ids).size).toBe(4_500);

  for (let left = 0; left < 20; left++) {
    for await (const part of exportEvents(app, { verdict: 'admitted' }, 'csv')) if (part.includes('evt_')) break;
  }
  expect(await app.db.auditEvent.count()).toBe(4_501);
});

test('every event is told in one sentence', async () => {
  const app = await aLog(
    anEvent({ at: 1, action: 'archive.downloaded', version: '2.1.0' }),
    anEvent({ at: 2, action: 'metadata.read', verdict: 'refused', reason: 'license-refunded' }),
    anEvent({
      at: 3,
      verdict: 'refused',
      reason: 'too-many-requests',
      username: null,
      credentialId: null,
      data: { count: 57 },
    }),
    anEvent({ at: 4, action: 'license.revoked', verdict: null, actor: 'staff:usr_1', reason: 'Chargeback.' }),
    anEvent({ at: 5, action: 'release.published', verdict: null, actor: 'cli', version: '2.1.0' }),
    anEvent({ at: 6, action: 'thing.invented', verdict: null }),
  );
  const { records } = await searchRecords(app, {});
  expect(records.reverse().map(describeEvent)).toEqual([
    'lk-forms-pro-a1b2c3d4 downloaded acme/forms-pro 2.1.0.',
    'lk-forms-pro-a1b2c3d4 was refused the versions of acme/forms-pro: the license was refunded.',
    '203.0.113.9 was turned away 57 times within a minute: too many requests.',
    'License lic_0000000000000001 was revoked by staff: Chargeback.',
    'Release acme/forms-pro 2.1.0 was published on the command line.',
    'thing.invented happened.',
  ]);
  for (const { label } of actionLabels()) expect(label).toMatch(/^[A-Z]/);
});
