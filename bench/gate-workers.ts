import { availableParallelism } from 'node:os';
import { load } from './support/load';
import { isMain, printTable } from './support/main';
import { asksFor, DOCUMENT_PATH, type Stage } from './support/stage';
import { median, perSecond, type Row, ratio, times } from './support/table';

const CONNECTIONS = 32;

/** Two gate workers behind one port beside one: worth it even where the load generator and PostgreSQL need cores, too. */
export async function gateWorkers(stage: Stage): Promise<Row[]> {
  const { size, holders, folder } = stage;
  const asks = asksFor(DOCUMENT_PATH, holders);
  const one = await stage.latchkey('one worker', { LATCHKEY_ROLE: 'gate' });
  const two = await stage.latchkey('two workers', { LATCHKEY_ROLE: 'gate', GATE_WORKERS: '2' });
  const rates = { one: [] as number[], two: [] as number[] };
  for (let round = 1 - size.warmUpRounds; round <= size.rounds; round++) {
    for (const [server, measured] of [
      [one, rates.one],
      [two, rates.two],
    ] as const) {
      const shipped = await server.shipped();
      const seconds = round > 0 ? size.seconds : 1;
      const loaded = await load(folder, { port: server.port, connections: CONNECTIONS, seconds, asks });
      if (loaded.failed > 0) throw new Error(`${server.name} refused ${loaded.failed} requests.`);
      await server.settle(shipped + loaded.requests);
      if (round > 0) measured.push(loaded.requests / loaded.seconds);
    }
  }
  await one.stop();
  await two.stop();
  const measured = ratio(rates.two, rates.one);
  // The load generator, PostgreSQL and two workers want a core each before a second worker can bring its full worth.
  const atLeast = availableParallelism() >= 4 ? 1.7 : 1;
  return [
    {
      what: 'GATE_WORKERS=2, p2 requests/s',
      target: `≥ ${atLeast} × one worker`,
      measured: times(measured),
      held: measured >= atLeast,
      latchkey: `${perSecond(median(rates.two))}, one worker ${perSecond(median(rates.one))}`,
    },
  ];
}

if (isMain(import.meta)) await printTable(gateWorkers);
