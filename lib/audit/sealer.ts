import type { PoolClient } from 'pg';
import { addDays, HOUR, SECOND } from '../kit/clock';
import { errorMessage } from '../kit/errors';
import type { Needs } from '../ports/app';
import { type ChainKeys, genesis, openLinker } from './chain';
import { type Head, headsFile, noteHeads, readHeads } from './heads';
import { monthName, monthOf } from './months';
import { ask } from './statement';

type World = Needs<'pool' | 'keys' | 'clock' | 'env' | 'log'>;

const BATCH_ROWS_MAX = 5_000;
const MAC_BYTES = 32;
const STOP_MS_MAX = 5_000;

/**
 * Seals each second's new events until stopped. Every process may start one; at any moment one of them works. Also makes
 * the partitions of the month to come, so that no request has to.
 */
export function startSealer(app: World): { stop(): Promise<void> } {
  let stopped = false;
  let failing = false;
  let timer: NodeJS.Timeout | null = null;
  let work: Promise<void> = Promise.resolve();
  let monthsMadeAt = Number.NEGATIVE_INFINITY;
  let known: Map<string, Head> | null = null;

  const round = async () => {
    try {
      if (performance.now() - monthsMadeAt > HOUR) {
        await makeMonths(app);
        monthsMadeAt = performance.now();
      }
      known ??= await knownHeads(app);
      await sealWaiting(app, known);
      if (failing) app.log.info('Audit events are being sealed again');
      failing = false;
    } catch (error) {
      if (!failing) app.log.warn(`Audit events wait to be sealed: ${errorMessage(error)}`);
      failing = true;
    }
    if (!stopped) timer = setTimeout(begin, SECOND);
  };
  const begin = () => {
    work = round();
  };
  begin();

  return {
    stop: async () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      // A round that hangs on a frozen database is left behind: uncommitted, it has done nothing.
      await Promise.race([work, new Promise((resolve) => setTimeout(resolve, STOP_MS_MAX).unref())]);
    },
  };
}

/**
 * Gives every event that waits its place in its month's chain, and notes the new heads outside the database. Events that
 * arrive late, from a journal that waited, simply get later places.
 *
 * @returns how many were sealed; 0 also where another process is at it
 */
export async function sealNow(app: World): Promise<number> {
  return sealWaiting(app, await knownHeads(app));
}

/** The last head of each month that was noted here. */
async function knownHeads(app: Needs<'env'>): Promise<Map<string, Head>> {
  return new Map((await readHeads(headsFile(app))).map((head) => [head.month, head]));
}

/** The months of now and of the week to come, so that no request has to make one. */
async function makeMonths(app: Needs<'pool' | 'clock'>): Promise<void> {
  const now = app.clock.now();
  await ask(app.pool, 'select audit_ensure_month($1), audit_ensure_month($2)', [now, addDays(now, 7)]);
}

async function sealWaiting(app: World, known: Map<string, Head>): Promise<number> {
  const file = headsFile(app);
  let sealed = 0;
  for (;;) {
    const batch = await sealBatch(app, known);
    if (batch.heads.length > 0) await noteHeads(file, batch.heads);
    for (const head of batch.heads) known.set(head.month, head);
    sealed += batch.rows;
    if (batch.rows < BATCH_ROWS_MAX) return sealed;
  }
}

async function sealBatch(app: World, known: ReadonlyMap<string, Head>): Promise<{ rows: number; heads: Head[] }> {
  const client = await app.pool.connect();
  let failed: Error | undefined;
  try {
    await ask(client, 'begin');
    const [lock] = await ask<{ got: boolean }>(
      client,
      `select pg_try_advisory_xact_lock(hashtextextended('audit-sealer', 0)) as got`,
    );
    const waiting = lock?.got ? await takeWaiting(client) : [];
    const heads: Head[] = [];
    for (const [month, events] of byMonth(waiting)) heads.push(...(await sealMonth(app, client, month, events, known)));
    await ask(client, 'commit');
    return { rows: waiting.length, heads };
  } catch (error) {
    failed = error as Error;
    throw error;
  } finally {
    // A client whose transaction failed is not handed on: its state is unknown, and closing it rolls back.
    client.release(failed);
  }
}

type Waiting = { at: string; id: string; proof: Buffer | null };

async function takeWaiting(client: PoolClient): Promise<Waiting[]> {
  return ask<Waiting>(
    client,
    `with taken as (
       delete from audit_unsealed
       where (at, id) in (select at, id from audit_unsealed order by at, id limit $1)
       returning at, id, proof
     )
     select (extract(epoch from at) * 1000)::bigint as at, id, proof from taken order by taken.at, id`,
    [BATCH_ROWS_MAX],
  );
}

function byMonth(events: readonly Waiting[]): Map<number, Waiting[]> {
  const months = new Map<number, Waiting[]>();
  let month = { from: 0, to: 0 };
  let ofMonth: Waiting[] = [];
  for (const event of events) {
    const at = Number(event.at);
    // They come in order of time, so a month is looked for once.
    if (at < month.from || at >= month.to) {
      month = monthOf(new Date(at));
      ofMonth = months.get(month.from) ?? [];
      months.set(month.from, ofMonth);
    }
    ofMonth.push(event);
  }
  return months;
}

/** @returns the month's new head, preceded by an earlier one that the chain was found to stand behind. */
async function sealMonth(
  app: World,
  client: PoolClient,
  from: number,
  events: readonly Waiting[],
  known: ReadonlyMap<string, Head>,
): Promise<Head[]> {
  const month = new Date(from);
  const key = app.keys.current;
  const chain = await chainEnd(client, month);
  const lost = standsBehind(chain, known.get(month.toISOString()));
  if (lost) {
    app.log.error(
      `The audit chain of ${monthName(month)} was set back behind event ${lost.rows}; run "audit verify".`,
      {
        month: lost.month,
        rows: chain.rows,
        rowsKnown: lost.rows,
      },
    );
  }

  let previous = chain.head ?? genesis(key, month);
  let sequence = chain.rows;
  const link = openLinker(key);
  const macs = Buffer.allocUnsafe(events.length * MAC_BYTES);
  for (const [index, event] of events.entries()) {
    sequence += 1;
    const start = index * MAC_BYTES;
    macs.write(link(previous, sequence, event.proof), start, 'latin1');
    previous = macs.subarray(start, start + MAC_BYTES);
  }
  const keys =
    chain.keys.at(-1)?.keyId === key.id ? chain.keys : [...chain.keys, { from: chain.rows + 1, keyId: key.id }];
  const sealedAt = app.clock.now();
  // Lists as JSON: the driver's own spelling of arrays took half the time of sealing.
  await ask(
    client,
    `insert into audit_seals (month, sequence, at, id, mac)
     select $1, $2::bigint + place, timestamptz 'epoch' + at::bigint * interval '1 millisecond', id,
       substring($5::bytea from (place::int - 1) * ${MAC_BYTES} + 1 for ${MAC_BYTES})
     from rows from (jsonb_array_elements_text($3::jsonb), jsonb_array_elements_text($4::jsonb))
       with ordinality as seal(at, id, place)`,
    [
      month,
      chain.rows,
      JSON.stringify(events.map((event) => event.at)),
      JSON.stringify(events.map((event) => event.id)),
      macs,
    ],
  );
  await ask(client, 'update audit_months set rows = $2, head = $3, keys = $4, sealed_at = $5 where month = $1', [
    month,
    sequence,
    previous,
    JSON.stringify(keys),
    sealedAt,
  ]);
  const head: Head = {
    month: month.toISOString(),
    rows: sequence,
    mac: previous.toString('hex'),
    keyId: key.id,
    sealedAt: sealedAt.toISOString(),
  };
  return lost ? [{ ...lost, evidence: true }, head] : [head];
}

interface ChainEnd {
  rows: number;
  head: Buffer | null;
  keys: ChainKeys;
}

/**
 * Where to go on: the month's row, or the last seal where that is further. Normally they agree; where somebody changed
 * one of them, sealing goes on all the same, and `audit verify` says what was done.
 */
async function chainEnd(client: PoolClient, month: Date): Promise<ChainEnd> {
  await ask(client, 'insert into audit_months (month) values ($1) on conflict do nothing', [month]);
  const [noted] = await ask<{ rows: string; head: Buffer | null; keys: ChainKeys }>(
    client,
    'select rows, head, keys from audit_months where month = $1 for update',
    [month],
  );
  const [seal] = await ask<{ sequence: string; mac: Buffer }>(
    client,
    'select sequence, mac from audit_seals where month = $1 order by sequence desc limit 1',
    [month],
  );
  const end = noted ?? { rows: '0', head: null, keys: [] };
  if (seal && Number(seal.sequence) > Number(end.rows)) {
    return { rows: Number(seal.sequence), head: seal.mac, keys: end.keys };
  }
  return { rows: Number(end.rows), head: end.head, keys: end.keys };
}

function standsBehind(chain: ChainEnd, known: Head | undefined): Head | null {
  if (!known) return null;
  if (chain.rows < known.rows) return known;
  return chain.rows === known.rows && chain.head?.toString('hex') !== known.mac ? known : null;
}
