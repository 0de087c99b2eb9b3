import { isMain, printTable } from './support/main';
import type { Stage } from './support/stage';
import { median, milliseconds, type Row } from './support/table';

/** How long a gate takes from its start to its first answer, on a database that is there. */
export async function gateStart(stage: Stage): Promise<Row[]> {
  const readyMs: number[] = [];
  for (let round = 0; round < stage.size.rounds; round++) {
    const gate = await stage.latchkey('started gate', { LATCHKEY_ROLE: 'gate' });
    readyMs.push(gate.readyMs);
    await gate.stop();
  }
  return [
    {
      what: 'a gate starts',
      target: '< 1 s',
      measured: milliseconds(median(readyMs)),
      held: median(readyMs) < 1_000,
      latchkey: `${milliseconds(Math.max(...readyMs))} at most`,
    },
  ];
}

if (isMain(import.meta)) await printTable(gateStart);
