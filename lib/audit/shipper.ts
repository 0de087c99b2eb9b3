import { appendFile, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode, errorMessage } from '../kit/errors';
import type { Needs } from '../ports/app';
import type { JournalFiles, Segment } from './journal';
import { monthOf } from './months';
import { openProver } from './proof';
import { ask } from './statement';

export interface Shipper {
  /**
   * Ships everything that was appended before the call.
   *
   * @throws the database's error where it is away; the events stay in the journal then
   */
  drain(): Promise<void>;
  /** Tries once more to ship what is left, for at most 5 s, then stops. Call it when nothing appends any more, before the journal closes. */
  stop(): Promise<void>;
  /** Bytes of the journal that are not in the table yet. */
  backlogBytes(): number;
}

type World = Needs<'pool' | 'keys' | 'log'> & { journal: JournalFiles };
type Shipping = Needs<'pool' | 'log'> & {
  prove(json: Uint8Array): string;
  /** First instants of the months that have their partitions. */
  months: Set<string>;
};

/** What one credential was last used for; kept while the credential's row was locked by somebody else. */
type Use = { credentialId: string; at: string; ip: string | null; userAgent: string | null };

const WAIT_MS = 100;
const RETRY_MS_MAX = 2_000;
const BATCH_LINES_MAX = 2_000;
/** Under a flood: a few milliseconds of the database's work. */
const BATCH_LINES_BUSY = 100;
const SLICE_LINES = 200;
const READ_BYTES = 1_048_576;
const BUSY_MS = 20;
/** Some hundred events: fewer are one short statement anyhow. */
const BACKLOG_BYTES_SMALL = 256 * 1_024;
const BACKLOG_BYTES_LARGE = 64 * 1_048_576;
const REST_MS_MAX = 20;
/** A shutdown has 25 s for everything; what is left is shipped at the next start. */
const STOP_MS_MAX = 5_000;
const SEGMENT_AGE_MS_MAX = 60_000;
/** `xxxxxxxx ` before each line's JSON. */
const CHECKSUM_LENGTH = 9;
const LINE_FEED = 10;
const COMMA = 44;
const OPENING_BRACKET = 91;
/** `,` before a row and `,"` 64 hex digits `"]` at its end, in place of the line's own `]`. */
const PROOF_LENGTH = 68;

/**
 * Brings the journal's events into audit_events, each exactly once: `(at, id)` was fixed when the event was written, so
 * a batch that is sent twice (a crash between the insert and our noting it) adds nothing. While the database is away the
 * journal grows and this tries again, at first after 100 ms, then up to every 2 s.
 */
export function startShipper(world: World): Shipper {
  const { journal, log } = world;
  const shipping: Shipping = { pool: world.pool, log, prove: openProver(world.keys.current), months: new Set() };
  const shippedBytes = new Map<number, number>();
  let leftover: Use[] = [];
  let activeSince = { number: 0, at: 0 };
  let timer: NodeJS.Timeout | null = null;
  let appendedAtMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let stopped = false;
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = (): Promise<void> => {
    const mine = turn.then(shipAll);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const later = (waitMs: number) => {
    if (timer || stopped) return;
    timer = setTimeout(async () => {
      try {
        await inTurn();
        if (failures > 0) log.info('The audit journal is being shipped again');
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn(`Audit events wait in the journal: ${errorMessage(error)}`);
      }
      timer = null;
      if (failures > 0) later(Math.min(WAIT_MS * 2 ** failures, RETRY_MS_MAX));
      else if (backlogBytes() > 0 || leftover.length > 0) later(WAIT_MS);
    }, waitMs);
  };

  const backlogBytes = () =>
    journal.segments().reduce((sum, segment) => sum + segment.sizeBytes - (shippedBytes.get(segment.number) ?? 0), 0);

  async function shipAll(): Promise<void> {
    // Asked again each time: an old month may have been dropped meanwhile.
    shipping.months.clear();
    for (const segment of journal.segments()) {
      await shipSegment(segment);
      if (segment.active) {
        if (activeSince.number !== segment.number) activeSince = { number: segment.number, at: performance.now() };
        else if (performance.now() - activeSince.at > SEGMENT_AGE_MS_MAX) journal.endSegment();
      } else {
        journal.remove(segment);
        shippedBytes.delete(segment.number);
      }
    }
    if (leftover.length > 0) leftover = await store(shipping, [], leftover);
  }

  async function shipSegment(segment: Segment): Promise<void> {
    let position = shippedBytes.get(segment.number) ?? 0;
    if (position >= segment.sizeBytes) return;
    const file = await open(segment.path, 'r');
    try {
      while (position < segment.sizeBytes) {
        const wanted = Math.min(READ_BYTES, segment.sizeBytes - position);
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, position);
        const shipped = await shipBytes(buffer.subarray(0, bytesRead), segment, position);
        position += shipped;
        if (shipped === 0) {
          log.warn(`The last event of ${segment.path} is torn; it was never answered and is left out`, {
            offset: position,
            sizeBytes: segment.sizeBytes - position,
          });
          position = segment.sizeBytes;
        }
        shippedBytes.set(segment.number, position);
      }
    } finally {
      await file.close();
    }
  }

  /** @returns how far whole lines reach; 0 where not even one ends here */
  async function shipBytes(bytes: Buffer, segment: Segment, position: number): Promise<number> {
    let done = 0;
    for (;;) {
      const busy = isBusy();
      const batch = readBatch(bytes.subarray(done), busy ? BATCH_LINES_BUSY : BATCH_LINES_MAX);
      if (batch.sizeBytes === 0) return done;
      for (const damaged of batch.damaged) {
        log.error(`A line of the audit journal is damaged and was left out, in ${segment.path}`, {
          offset: position + done + damaged.offset,
          sizeBytes: damaged.sizeBytes,
        });
      }
      const began = performance.now();
      if (batch.lines.length > 0) leftover = await storeOrSetAside(shipping, batch.lines, leftover, segment);
      done += batch.sizeBytes;
      shippedBytes.set(segment.number, position + done);
      if (busy) await rest(Math.min(2 * (performance.now() - began), REST_MS_MAX));
    }
  }

  /**
   * Under a flood of requests batches are small and the database rests between them: where it shares the machine, it would
   * otherwise take a core from the answers, and p99 was three times what it is. What a few thousand requests a second
   * bring never waits for this, and a backlog that grows all the same is shipped as fast as it goes.
   */
  function isBusy(): boolean {
    if (stopped || performance.now() - appendedAtMs > BUSY_MS) return false;
    const backlog = backlogBytes();
    return backlog > BACKLOG_BYTES_SMALL && backlog < BACKLOG_BYTES_LARGE;
  }

  journal.onAppended(() => {
    appendedAtMs = performance.now();
    later(WAIT_MS);
  });
  if (backlogBytes() > 0) later(0);

  return {
    drain: async () => {
      await endOfTurn();
      await inTurn();
    },
    stop: async () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      await endOfTurn();
      journal.endSegment();
      try {
        await Promise.race([inTurn(), expired(STOP_MS_MAX)]);
      } catch (error) {
        log.warn(`Audit events stay in the journal until the next start: ${errorMessage(error)}`, {
          backlogBytes: backlogBytes(),
        });
      }
    },
    backlogBytes,
  };
}

/** What was appended in this turn of the event loop reaches the file at its end. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function expired(waitMs: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`the database took longer than ${waitMs} ms`)), waitMs).unref();
  });
}

type Batch = {
  /** The canonical JSON of each whole event. */
  lines: Buffer[];
  damaged: { offset: number; sizeBytes: number }[];
  /** How far the batch reaches; 0 where not even one line ends here. */
  sizeBytes: number;
};

function readBatch(bytes: Buffer, linesMax: number): Batch {
  const batch: Batch = { lines: [], damaged: [], sizeBytes: 0 };
  while (batch.lines.length < linesMax) {
    const start = batch.sizeBytes;
    const end = bytes.indexOf(LINE_FEED, start);
    if (end === -1) break;
    const json = bytes.subarray(start + CHECKSUM_LENGTH, end);
    const whole =
      end - start > CHECKSUM_LENGTH && Number.parseInt(bytes.toString('latin1', start, start + 8), 16) === crc32(json);
    if (whole) batch.lines.push(json);
    else batch.damaged.push({ offset: start, sizeBytes: end - start });
    batch.sizeBytes = end + 1;
  }
  return batch;
}

/** A line that the table refuses must not hold up the rest for ever: it is found by halving and kept in a file. */
async function storeOrSetAside(shipping: Shipping, lines: Buffer[], uses: Use[], segment: Segment): Promise<Use[]> {
  try {
    return await store(shipping, lines, uses);
  } catch (error) {
    // 22: a value that PostgreSQL cannot hold; 23: one that the table does not allow. Anything else may pass later.
    if (!/^2[23]/.test(errorCode(error) ?? '')) throw error;
    if (lines.length > 1) {
      const middle = lines.length >> 1;
      const left = await storeOrSetAside(shipping, lines.slice(0, middle), uses, segment);
      return storeOrSetAside(shipping, lines.slice(middle), left, segment);
    }
    const path = join(dirname(segment.path), 'refused.jsonl');
    await appendFile(path, Buffer.concat([...lines, Buffer.from('\n')]), { mode: 0o600 });
    shipping.log.error(`An audit event was refused by the database and is kept in ${path}: ${errorMessage(error)}`);
    return uses;
  }
}

/**
 * Inserts events and notes the last use of their credentials, in one statement. `changed_at` of a credential stays: last
 * use is nothing the gate must hear of.
 *
 * @returns the uses whose credentials were locked by somebody else, to be tried with the next batch: an install must
 *   neither wait for a customer's transaction nor make it wait
 */
async function store(shipping: Shipping, lines: readonly Buffer[], uses: readonly Use[]): Promise<Use[]> {
  let month = { from: 0, to: 0 };
  // Bytes from the file to the socket: made into text, joined and encoded again, a batch cost twice as much.
  const rows = Buffer.allocUnsafe(lines.reduce((sum, line) => sum + line.length + PROOF_LENGTH, 2));
  let end = 0;
  for (const [index, line] of lines.entries()) {
    if (index % SLICE_LINES === SLICE_LINES - 1) await answersFirst();
    const at = Number(line.toString('latin1', 1, line.indexOf(COMMA)));
    if (at < month.from || at >= month.to) {
      month = monthOf(new Date(at));
      await ensureMonth(shipping, new Date(month.from).toISOString());
    }
    rows[end] = index === 0 ? OPENING_BRACKET : COMMA;
    rows.set(line, end + 1);
    // The proof becomes the array's last element.
    end += line.length;
    end += rows.write(`,"${shipping.prove(line)}"]`, end, 'latin1');
  }
  end += rows.write(lines.length === 0 ? '[]' : ']', end, 'latin1');
  return ask<Use>(shipping.pool, STORE, [rows.subarray(0, end), JSON.stringify(uses)]);
}

async function ensureMonth({ pool, months }: Shipping, first: string): Promise<void> {
  if (months.has(first)) return;
  await ask(pool, 'select audit_ensure_month($1::timestamptz)', [first]);
  months.add(first);
}

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Lets the requests that came meanwhile go first: a whole batch at once would hold them up for ten milliseconds. */
function answersFirst(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const STORE = `
with incoming as materialized (
  select timestamptz 'epoch' + (event->>0)::bigint * interval '1 millisecond' as at, event
  from jsonb_array_elements(convert_from($1, 'UTF8')::jsonb) as event
), added as (
  insert into audit_events (at, id, action, verdict, reason, ip, user_agent, username, credential_id, license_id,
    customer_id, package, version, node, actor, data, proof)
  select at, event->>1, event->>2, event->>3, event->>4, event->>5, event->>6, event->>7, event->>8, event->>9,
    event->>10, event->>11, event->>12, event->>13, event->>14, nullif(event->15, 'null'), decode(event->>16, 'hex')
  from incoming
  on conflict do nothing
), uses as (
  select event->>8 as credential_id, at, event->>5 as ip, event->>6 as user_agent
  from incoming where event->>3 = 'admitted' and event->>8 is not null
  union all
  select u->>'credentialId', (u->>'at')::timestamptz, u->>'ip', u->>'userAgent' from jsonb_array_elements($2::jsonb) as u
), last_uses as (
  select distinct on (credential_id) * from uses order by credential_id, at desc
), due as (
  select last_uses.* from last_uses join credentials on credentials.id = credential_id
  where last_validated_at is null or at >= last_validated_at + interval '1 minute'
), free as (
  select id from credentials where id in (select credential_id from due) order by id for no key update skip locked
), noted as (
  update credentials
  set last_validated_at = due.at, last_used_ip = due.ip, last_user_agent = due.user_agent
  from due
  where credentials.id = due.credential_id and credentials.id in (select id from free)
    and (last_validated_at is null or last_validated_at < due.at)
)
select credential_id as "credentialId", at::text as at, ip, user_agent as "userAgent"
from due where credential_id not in (select id from free)`;
