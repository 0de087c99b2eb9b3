import { once } from 'node:events';
import { join } from 'node:path';
import { loadOnce } from './support/load';
import { isMain, printTable } from './support/main';
import { cpuMs, type Subject } from './support/processes';
import { asksFor, bareNode, DOCUMENT_PATH, recordedAnswer, type Stage } from './support/stage';
import { median, milliseconds, perSecond, type Row } from './support/table';

const CONNECTIONS = 32;
const PROBE = join(import.meta.dirname, 'support/stall-probe.mjs');

/**
 * Thousands of credentials that a running gate has never seen, once each: the first one of a customer after a start, the
 * morning after a release. Each round meets a gate that was just started and has served others since.
 */
export async function coldCredentials(stage: Stage): Promise<Row[]> {
  const { size, holders, strangers } = stage;
  const asks = asksFor(DOCUMENT_PATH, strangers);
  const rates: number[] = [];
  const costs: number[] = [];
  const stalls: Stall[] = [];
  const bareRates: number[] = [];
  for (let round = 0; round < size.rounds; round++) {
    const gate = await stage.latchkey('cold gate', { LATCHKEY_ROLE: 'gate' }, ['--import', PROBE]);
    const warm = asksFor(DOCUMENT_PATH, holders);
    await loadOnce(gate.port, CONNECTIONS, Array.from({ length: size.warmUps }, () => warm).flat());
    const bare = await bareNode(stage, [await recordedAnswer(gate.port, warm[0])]);
    await longestStall(gate);
    const shipped = await gate.shipped();
    const cpuBefore = cpuMs(gate.pid);
    const cold = await loadOnce(gate.port, CONNECTIONS, asks);
    stalls.push(await longestStall(gate));
    if (cold.failed > 0) throw new Error(`${cold.failed} of ${cold.requests} new credentials were refused.`);
    await gate.settle(shipped + cold.requests);
    costs.push((cpuMs(gate.pid) - cpuBefore) / cold.requests);
    rates.push(cold.requests / cold.seconds);
    const fixed = await loadOnce(bare.port, CONNECTIONS, asks);
    bareRates.push(fixed.requests / fixed.seconds);
    await gate.stop();
    await bare.stop();
  }
  const rate = median(rates);
  const longest = Math.max(...stalls.map((stall) => stall.workMs));
  return [
    {
      what: `${strangers.length} cold credentials, once each`,
      target: '≥ 1,000/s',
      measured: perSecond(rate),
      held: rate >= 1_000,
      latchkey: `${milliseconds(median(costs))}, ${perSecond(rate)}`,
      bareNode: perSecond(median(bareRates)),
    },
    {
      what: 'longest own stall of the event loop meanwhile',
      target: '≤ 20 ms',
      measured: milliseconds(longest),
      held: longest <= 20,
      latchkey: `${milliseconds(Math.max(...stalls.map((stall) => stall.wallMs)))} with waiting for a core`,
    },
  ];
}

interface Stall {
  wallMs: number;
  /** The part of it in which this process worked. */
  workMs: number;
}

/** Since it was asked last. */
async function longestStall({ child }: Subject): Promise<Stall> {
  const answered = once(child, 'message') as Promise<[Stall]>;
  child.send('stall?');
  const [stall] = await answered;
  return stall;
}

if (isMain(import.meta)) await printTable(coldCredentials);
