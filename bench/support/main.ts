import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FULL, openStage, SMALL, type Stage } from './stage';
import { type Row, tableOf } from './table';

/** Whether this module is what was started, and not imported by another. */
export function isMain(meta: ImportMeta): boolean {
  return resolve(process.argv[1] ?? '') === fileURLToPath(meta.url);
}

/** Runs benchmarks one after the other on one stage and prints one table. `--small` runs each as short as it goes. */
export async function printTable(...benchmarks: ((stage: Stage) => Promise<Row[]>)[]): Promise<string> {
  const stage = await openStage(process.argv.includes('--small') ? SMALL : FULL);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => void stage.close().finally(() => process.exit(code)));
  }
  try {
    const rows: Row[] = [];
    for (const benchmark of benchmarks) {
      const began = performance.now();
      rows.push(...(await benchmark(stage)));
      process.stderr.write(`${benchmark.name}: ${((performance.now() - began) / 1_000).toFixed(0)} s\n`);
    }
    const table = tableOf(rows);
    process.stdout.write(`${table}\n`);
    return table;
  } finally {
    await stage.close();
  }
}
