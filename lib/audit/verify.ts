import type { PoolClient } from 'pg';
import { type KeyRing, keyNamed, sameBytes } from '../kit/seal';
import type { Needs } from '../ports/app';
import { canonical, type EventData } from './canonical';
import { type ChainKeys, chainKeyAt, genesis, link } from './chain';
import { batches, inSnapshot } from './cursor';
import { type Head, headsFile, readHeads } from './heads';
import { monthName, monthOf, monthTables } from './months';
import { proves } from './proof';
import { EVENT_COLUMNS, eventRow, type RawEvent } from './rows';

export type DamageKind =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'month-dropped'
  | 'rolled-back'
  | 'key-unknown';

export interface Damage {
  kind: DamageKind;
  /** `2026-11` */
  month: string;
  sequence: number | null;
  eventId: string | null;
  /** What happened, for people. */
  sentence: string;
}

export interface Verification {
  /** True where no damage was found. An unsealed tail is none. */
  ok: boolean;
  months: { month: string; sealed: number; head: string | null; dropped: boolean; damaged: number }[];
  /** The first 1,000; `damageCount` counts all. */
  damage: Damage[];
  damageCount: number;
  /** Events with a place in a chain. */
  sealed: number;
  /** What no chain protects yet. The rows are checked one by one, but nobody would miss one that is gone. */
  unsealedTail: { rows: number; oldestAt: string | null };
}

interface Month {
  month: Date;
  rows: string;
  head: Buffer | null;
  keys: ChainKeys;
  droppedAt: Date | null;
  eventsThere: boolean;
  sealsThere: boolean;
}

const DAMAGE_MAX = 1_000;

/**
 * Reads the whole audit log and says what was done to it: every event against its proof, every place against the chain,
 * every chain against its recorded end and against the heads that this machine noted outside the database. Memory stays
 * flat; the time grows with the log (some 25 µs per event).
 */
export async function verifyAudit(app: Needs<'pool' | 'keys' | 'env'>): Promise<Verification> {
  // Read before the snapshot is taken, so that no head can be newer than what is compared with it.
  const heads = await readHeads(headsFile(app));
  const found: Verification = {
    ok: true,
    months: [],
    damage: [],
    damageCount: 0,
    sealed: 0,
    unsealedTail: { rows: 0, oldestAt: null },
  };
  const snapshot = inSnapshot(app.pool, async function* (client) {
    const months = await readMonths(client);
    for (const month of months) {
      const damages = verifyMonth(app.keys, client, month, heads);
      yield* inMonth(found, month, damages);
    }
    yield* monthsMissing(months, heads);
    yield* verifyTail(app.keys, client, found.unsealedTail);
  });
  for await (const damage of snapshot) note(found, damage);
  const told = asChanges(found.damage);
  found.damageCount -= found.damage.length - told.length;
  found.damage = told;
  found.ok = found.damageCount === 0;
  return found;
}

function note(found: Verification, damage: Damage): void {
  found.damageCount += 1;
  if (found.damage.length < DAMAGE_MAX) found.damage.push(damage);
}

async function* inMonth(
  found: Verification,
  month: Month,
  damages: AsyncGenerator<Damage, number>,
): AsyncGenerator<Damage, void> {
  let damaged = 0;
  for (;;) {
    const next = await damages.next();
    if (next.done) {
      const head = month.head?.toString('hex') ?? null;
      const summary = { month: monthName(month.month), sealed: next.value, head, dropped: month.droppedAt !== null };
      if (next.value > 0 || damaged > 0) found.months.push({ ...summary, damaged });
      found.sealed += next.value;
      return;
    }
    damaged += 1;
    yield next.value;
  }
}

async function readMonths(client: PoolClient): Promise<Month[]> {
  const { rows } = await client.query<Month>(
    'select month, rows, head, keys, dropped_at as "droppedAt" from audit_months order by month',
  );
  const { rows: tables } = await client.query<{ name: string }>(
    `select 'audit.' || relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = 'audit' and relispartition`,
  );
  const there = new Set(tables.map((table) => table.name));
  return rows.map((month) => {
    const names = monthTables(month.month);
    return { ...month, eventsThere: there.has(names.events), sealsThere: there.has(names.seals) };
  });
}

/** @returns how many events of the month are sealed */
async function* verifyMonth(
  ring: KeyRing,
  client: PoolClient,
  month: Month,
  heads: readonly Head[],
): AsyncGenerator<Damage, number> {
  const rows = Number(month.rows);
  const known = heads.filter((head) => head.month === month.month.toISOString());
  if (month.droppedAt && !month.eventsThere) {
    const closed = await closingRecord(ring, client, month);
    const behind = known.find((head) => head.rows > rows);
    if (!closed || behind) {
      yield damageOf('month-dropped', month.month, null, null, 'is gone, and what it held at its end is not on record');
    }
    return closed ? rows : 0;
  }
  if (!month.eventsThere || !month.sealsThere) {
    yield damageOf('month-dropped', month.month, null, null, `with its ${rows} sealed events is gone`);
    return 0;
  }
  const last = yield* verifyChain(ring, client, month, known);
  yield* verifyStrangers(client, month.month);
  return last;
}

interface SealedRow extends RawEvent {
  sequence: string;
  sealedId: string;
  mac: Buffer;
  proof: Buffer | null;
  there: boolean;
}

async function* verifyChain(
  ring: KeyRing,
  client: PoolClient,
  month: Month,
  known: readonly Head[],
): AsyncGenerator<Damage, number> {
  const { from, to } = monthOf(month.month);
  const name = month.month;
  const headAt = new Map(known.map((head) => [head.rows, head]));
  const firstKey = keyNamed(ring, chainKeyAt(month.keys, 1) ?? '');
  // Where a key is missing, a proof that fits none may be of that key: a writer changes keys later than the sealer.
  const missing = new Set(month.keys.map((part) => part.keyId).filter((keyId) => !keyNamed(ring, keyId)));
  const unchecked = { from: 0, rows: 0 };
  // Null where the seal before is missing: then nothing can be said about how this one was linked.
  let previous: Buffer | null = firstKey && genesis(firstKey, name);
  let last = 0;
  let sealed = 0;
  let rewritten: { sequence: number; head: Head } | null = null;

  const seals = batches<SealedRow>(
    client,
    `select s.sequence, s.id as "sealedId", s.mac, e.proof, e.id is not null as there, ${EVENT_COLUMNS}
     from audit_seals s
     left join audit_events e on e.at = s.at and e.id = s.id and e.at >= $2 and e.at < $3
     where s.month = $1 order by s.sequence`,
    [name, new Date(from), new Date(to)],
  );
  for await (const batch of seals) {
    for (const row of batch) {
      const sequence = Number(row.sequence);
      if (sequence > last + 1) {
        yield damageOf('removed', name, last + 1, null, gap(last + 1, sequence - 1));
        previous = null;
      }
      const key = keyNamed(ring, chainKeyAt(month.keys, sequence) ?? '');
      const proven = row.proof !== null && key !== null && proves(ring, row.proof, canonical(eventRow(row)));
      if (!row.there) {
        yield damageOf('removed', name, sequence, row.sealedId, 'was removed; only its seal is left');
      } else if (!row.proof) {
        yield damageOf('inserted', name, sequence, row.id, 'was not written by this installation');
      } else if (!key || (!proven && missing.size > 0)) {
        unchecked.from ||= sequence;
        unchecked.rows += 1;
      } else if (!proven) {
        yield damageOf('changed', name, sequence, row.id, 'does not say any more what was written');
      } else if (previous && !sameBytes(link(key, previous, sequence, row.proof), row.mac)) {
        yield damageOf('reordered', name, sequence, row.id, 'does not stand where it was sealed');
      }
      const head = headAt.get(sequence);
      if (head && head.mac !== row.mac.toString('hex')) rewritten ??= { sequence, head };
      previous = row.mac;
      last = sequence;
      sealed += 1;
    }
  }

  if (unchecked.rows > 0) {
    const keys = [...missing].join(', ') || 'none is on record';
    const what = `and ${unchecked.rows - 1} others cannot be checked: their key (${keys}) is neither APP_KEY nor in APP_KEYS_OLD`;
    yield damageOf('key-unknown', name, unchecked.from, null, what);
  }
  yield* verifyEnd(month, { last, mac: previous, rewritten }, known);
  return sealed;
}

/** The end of the chain against the month's row, and against what was noted outside the database. */
async function* verifyEnd(
  month: Month,
  chain: { last: number; mac: Buffer | null; rewritten: { sequence: number; head: Head } | null },
  known: readonly Head[],
): AsyncGenerator<Damage, void> {
  const name = month.month;
  const rows = Number(month.rows);
  const furthest = known.reduce((most, head) => Math.max(most, head.rows), 0);
  if (furthest > chain.last) {
    const what = `was set back: ${furthest} events were sealed in it, and it ends at ${chain.last} now`;
    yield damageOf('rolled-back', name, chain.last + 1, null, what);
  } else if (chain.rewritten) {
    const { sequence, head } = chain.rewritten;
    const what = `was set back and grew again: its event ${sequence} is not the one that stood there at ${head.sealedAt}`;
    yield damageOf('rolled-back', name, sequence, null, what);
  } else if (rows > chain.last) {
    yield damageOf('removed', name, chain.last + 1, null, gap(chain.last + 1, rows));
  } else if (rows < chain.last || (chain.last > 0 && !sameMac(month.head, chain.mac))) {
    yield damageOf('changed', name, rows, null, 'ends where its row in audit_months does not say');
  }
}

function sameMac(a: Buffer | null, b: Buffer | null): boolean {
  return a !== null && b !== null && sameBytes(a, b);
}

/** Events that are neither sealed nor waiting to be: put into the month's table behind the trigger's back. */
async function* verifyStrangers(client: PoolClient, month: Date): AsyncGenerator<Damage, void> {
  const { from, to } = monthOf(month);
  const strangers = batches<{ id: string }>(
    client,
    `select e.id from audit_events e
     where e.at >= $1 and e.at < $2
       and not exists (select from audit_seals s where s.month = $1 and s.at = e.at and s.id = e.id)
       and not exists (select from audit_unsealed u where u.at = e.at and u.id = e.id)`,
    [new Date(from), new Date(to)],
  );
  for await (const batch of strangers) {
    for (const { id } of batch)
      yield damageOf('inserted', month, null, id, 'has no place in the chain and waits for none');
  }
}

async function* monthsMissing(months: readonly Month[], heads: readonly Head[]): AsyncGenerator<Damage, void> {
  const there = new Set(months.map((month) => month.month.toISOString()));
  for (const month of new Set(heads.map((head) => head.month))) {
    if (there.has(month)) continue;
    const rows = heads.reduce((most, head) => (head.month === month ? Math.max(most, head.rows) : most), 0);
    yield damageOf('month-dropped', new Date(month), null, null, `with its ${rows} sealed events is gone`);
  }
}

async function* verifyTail(
  ring: KeyRing,
  client: PoolClient,
  tail: Verification['unsealedTail'],
): AsyncGenerator<Damage, void> {
  const waiting = batches<RawEvent & { queuedAt: Date; queuedId: string; proof: Buffer | null; there: boolean }>(
    client,
    `select u.at as "queuedAt", u.id as "queuedId", e.id is not null as there, e.proof, ${EVENT_COLUMNS}
     from audit_unsealed u left join audit_events e on e.at = u.at and e.id = u.id order by u.at, u.id`,
  );
  for await (const batch of waiting) {
    for (const row of batch) {
      tail.oldestAt ??= row.queuedAt.toISOString();
      tail.rows += 1;
      if (!row.there) {
        yield damageOf('removed', row.queuedAt, null, row.queuedId, 'was removed before it was sealed');
      } else if (!row.proof || !proves(ring, row.proof, canonical(eventRow(row)))) {
        yield damageOf('inserted', row.queuedAt, null, row.queuedId, 'was not written by this installation like this');
      }
    }
  }
}

/** The event that dropping the month left, with the same count and head, and a proof that it is ours. */
async function closingRecord(ring: KeyRing, client: PoolClient, month: Month): Promise<boolean> {
  const { rows } = await client.query<RawEvent & { proof: Buffer | null }>(
    `select e.proof, ${EVENT_COLUMNS} from audit_events e where e.action = 'audit.month-dropped'`,
  );
  const expected = closingFacts(month);
  return rows.some(
    (row) =>
      row.proof !== null &&
      row.data?.month === expected.month &&
      row.data.rows === expected.rows &&
      row.data.head === expected.head &&
      proves(ring, row.proof, canonical(eventRow(row))),
  );
}

/** What the record of a dropped month says of it. */
export function closingFacts(month: { month: Date; rows: string; head: Buffer | null }) {
  return {
    month: monthName(month.month),
    rows: Number(month.rows),
    head: month.head?.toString('hex') ?? null,
  } satisfies EventData;
}

/** An event whose `at` or `id` was changed looks like one that is gone and another that came; it is told as one change. */
function asChanges(damage: readonly Damage[]): Damage[] {
  const came = new Map(damage.filter((each) => each.kind === 'inserted').map((each) => [each.eventId, each]));
  const merged = new Set<Damage>();
  const told = damage.map((each) => {
    const twin = each.kind === 'removed' && each.eventId !== null ? came.get(each.eventId) : undefined;
    if (!twin) return each;
    merged.add(twin);
    return { ...each, kind: 'changed' as const, sentence: `${subject(each)} does not say any more when it happened.` };
  });
  return told.filter((each) => !merged.has(each));
}

function damageOf(
  kind: DamageKind,
  month: Date,
  sequence: number | null,
  eventId: string | null,
  what: string,
): Damage {
  const facts = { kind, month: monthName(month), sequence, eventId };
  return { ...facts, sentence: `${subject(facts)} ${what}.` };
}

function subject({ kind, month, sequence, eventId }: Omit<Damage, 'sentence'>): string {
  if (eventId !== null)
    return `Event ${eventId} ${sequence === null ? `of ${month}` : `(number ${sequence} of ${month})`}`;
  if (kind === 'removed' || kind === 'key-unknown') return `Event number ${sequence} of ${month}`;
  return `The month ${month}`;
}

function gap(first: number, last: number): string {
  return first === last ? 'is gone with its seal' : `and those up to number ${last} are gone with their seals`;
}
