import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { canonical, type EventRow } from '../../lib/audit/canonical';
import { cleanedOrNull } from '../../lib/audit/cleaning';
import { openJournal } from '../../lib/audit/journal';
import { countThrottled } from '../../lib/audit/throttled';
import { setClock } from '../../lib/kit/clock';
import type { Log } from '../../lib/kit/log';
import { aGateEvent, appended } from '../support/gate-events';
import { TEST_START } from '../support/test-app';

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function aJournal(folder: string, options: { segmentBytesMax?: number; reserveBytes?: number } = {}) {
  const alarms: string[] = [];
  const log: Log = { debug() {}, info() {}, warn() {}, error: (sentence) => alarms.push(sentence) };
  const clock = setClock(TEST_START);
  const journal = openJournal({ folder, nodeName: 'main', clock, log, reserveBytes: 4_096, ...options });
  onTestFinished(() => journal.close());
  return { journal, clock, log, alarms };
}

function segmentFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.journal'))
    .sort();
}

function linesIn(folder: string): string[] {
  return segmentFiles(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
}

test('an event is in the file before its answer may leave, and those of one turn go there together', async () => {
  const folder = aFolder();
  const { journal } = aJournal(folder);
  const seen: number[] = [];
  const answers = [1, 2, 3].map(
    (number) =>
      new Promise<void>((resolve) => {
        journal.append(aGateEvent({ version: `1.0.${number}` }), () => {
          seen.push(linesIn(folder).length);
          resolve();
        });
      }),
  );
  expect(linesIn(folder)).toHaveLength(0);
  await Promise.all(answers);
  expect(seen).toEqual([3, 3, 3]);
});

test('a line of the journal is the canonical form of the event, whatever a stranger sent', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('lk_live_00000000000000000000000000000000004cjNQE'));
  const maybe = fc.option(text, { nil: null });
  const events = fc.record({
    reason: maybe,
    ip: maybe,
    userAgent: maybe,
    username: maybe,
    package: maybe,
    version: maybe,
    count: fc.option(fc.nat(), { nil: undefined }),
  });
  const folder = aFolder();
  const { journal } = aJournal(folder);
  await fc.assert(
    fc.asyncProperty(events, async (strange) => {
      const event = aGateEvent(strange);
      await appended(journal, event);
      const line = linesIn(folder).at(-1) ?? '';
      const json = line.slice(9);
      const [at, id] = JSON.parse(json) as [number, string];
      const expected: EventRow = {
        at,
        id,
        action: event.action,
        verdict: event.verdict,
        reason: cleanedOrNull(event.reason),
        ip: cleanedOrNull(event.ip),
        userAgent: cleanedOrNull(event.userAgent),
        username: cleanedOrNull(event.username),
        credentialId: event.credentialId,
        licenseId: event.licenseId,
        customerId: event.customerId,
        package: cleanedOrNull(event.package),
        version: cleanedOrNull(event.version),
        node: 'main',
        actor: null,
        data: event.count === undefined ? null : { count: event.count },
      };
      expect(json).toBe(canonical(expected));
      expect(line.slice(0, 8)).toBe(checksum(json));
      expect(json).not.toMatch(/lk_live_0/);
    }),
    { numRuns: 300 },
  );
});

test('a prepared event is written each time anew, in order, and a thousand in one turn are all there', async () => {
  const folder = aFolder();
  const { journal } = aJournal(folder);
  const prepared = journal.prepare(aGateEvent({ version: '1.0.0' }));
  await Promise.all(
    Array.from({ length: 1_000 }, (_, number) =>
      appended(journal, number % 2 === 0 ? prepared : aGateEvent({ version: 'é'.repeat(number % 7) })),
    ),
  );
  const lines = linesIn(folder);
  expect(lines.every((line) => checksum(line.slice(9)) === line.slice(0, 8))).toBe(true);
  const events = lines.map((line) => JSON.parse(line.slice(9)) as [number, string, ...unknown[]]);
  const ids = events.map(([, id]) => id);
  expect(new Set(ids).size).toBe(1_000);
  expect([...ids].sort()).toEqual(ids);
  expect(ids.every((id) => /^evt_[0-9a-z]{20}$/.test(id))).toBe(true);
  expect(events.filter((event) => event[12] === '1.0.0')).toHaveLength(500);
});

test('a secret is masked even where control characters are put inside it, and a long agent is cut', async () => {
  const folder = aFolder();
  const { journal } = aJournal(folder);
  const hidden = 'lk_li\u0007ve_000000000000\u0000000000000000000000004cjNQE';
  await appended(journal, aGateEvent({ username: hidden, userAgent: 'x'.repeat(20_000) }));
  const event = JSON.parse((linesIn(folder)[0] ?? '').slice(9)) as (string | null)[];
  expect(event[7]).toBe('lk_live_[masked]');
  expect(event[6]).toHaveLength(512);
});

test('a segment that is full is followed by another, and one that was shipped can be removed', async () => {
  const folder = aFolder();
  const { journal } = aJournal(folder, { segmentBytesMax: 1_000 });
  for (let each = 0; each < 10; each++) await appended(journal);
  const segments = journal.segments();
  expect(segments.length).toBeGreaterThan(2);
  expect(segments.map((segment) => segment.active)).toEqual([...Array(segments.length - 1).fill(false), true]);

  journal.remove(segments[0]!);
  journal.remove(segments.at(-1)!);
  expect(segmentFiles(folder)).toHaveLength(segments.length - 1);
  expect(journal.segments().at(-1)?.active).toBe(true);
});

test('what an earlier life left is kept, and never written to again', async () => {
  const folder = aFolder();
  const first = aJournal(folder);
  await appended(first.journal);
  await first.journal.close();
  const left = readFileSync(join(folder, '00000001.journal'), 'utf8');

  const second = aJournal(folder);
  await appended(second.journal);
  expect(segmentFiles(folder)).toEqual(['00000001.journal', '00000002.journal']);
  expect(readFileSync(join(folder, '00000001.journal'), 'utf8')).toBe(left);
  expect(second.journal.segments().map((segment) => segment.number)).toEqual([1, 2]);
});

test('a journal that was closed refuses what comes after', async () => {
  const { journal } = aJournal(aFolder());
  await journal.close();
  await expect(appended(journal)).rejects.toThrow('closed');
});

// Whoever floods the gate must not flood its log as well.
test('requests over a limit become one counted event per address and minute', async () => {
  const folder = aFolder();
  const { journal, clock, log } = aJournal(folder);
  const throttled = countThrottled({ journal, clock, log });
  for (let each = 0; each < 57; each++) throttled.note(aGateEvent({ verdict: 'refused', ip: '198.51.100.1' }));
  throttled.note(aGateEvent({ verdict: 'refused', ip: '198.51.100.2' }));
  clock.advance(60_000);
  throttled.note(aGateEvent({ verdict: 'refused', ip: '198.51.100.1' }));
  throttled.flush();
  await appended(journal);

  const events = linesIn(folder).map((line) => JSON.parse(line.slice(9)) as unknown[]);
  const counted = events.slice(0, -1).map((event) => [event[3], event[4], event[5], event[15]]);
  expect(counted).toEqual([
    ['refused', 'too-many-requests', '198.51.100.1', { count: 57 }],
    ['refused', 'too-many-requests', '198.51.100.2', { count: 1 }],
    ['refused', 'too-many-requests', '198.51.100.1', { count: 1 }],
  ]);
});

test.runIf(process.getuid?.() === 0)(
  'a full disk uses the reserve, then keeps events out with an alarm, and heals when there is space again',
  async () => {
    const folder = aFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    onTestFinished(() => void execFileSync('umount', ['-l', folder]));
    const { journal, alarms } = aJournal(folder, { reserveBytes: 65_536 });
    const filler = join(folder, 'filler');
    writeFileSync(filler, '');
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(4_096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }

    let kept = 0;
    const write = async () => {
      await appended(journal);
      kept += 1;
    };
    await write();
    expect(alarms).toEqual([expect.stringMatching(/reserve of 65536 bytes is in use/)]);
    expect(journal.full).toBe(false);
    await expect(
      (async () => {
        for (;;) await write();
      })(),
    ).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(journal.full).toBe(true);
    expect(alarms.at(-1)).toMatch(/answered 503/);
    expect(kept).toBeGreaterThan(100);

    rmSync(filler);
    await vi.waitFor(() => expect(journal.full).toBe(false), { timeout: 5_000 });
    await write();
    const lines = linesIn(folder);
    expect(lines).toHaveLength(kept);
    expect(lines.every((line) => checksum(line.slice(9)) === line.slice(0, 8))).toBe(true);
  },
);

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
