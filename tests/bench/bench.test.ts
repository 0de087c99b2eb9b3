import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

// A benchmark is no timed test: this runs each as short as it goes, so that none rots, and judges no figure.
test('the benchmarks still run, and their one table has every line', { timeout: 300_000 }, async () => {
  const run = promisify(execFile);
  await run(process.execPath, ['bin/setup.mjs', 'build'], { cwd: ROOT });
  const { stdout } = await run(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'bench/run.ts', '--small'], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('| '));
  const first = (line: string) => line.split('|')[1]?.trim();
  expect(lines.slice(2).map(first)).toEqual([
    'p2 200, CPU per request, gate',
    'p2 200, CPU per request, role all',
    'p2 200, p99 at 32 connections, gate',
    'p2 304, CPU per request, gate',
    'dist 1 MB, requests/s at 8 connections',
    'memory of the gate over all of this',
    '40 cold credentials, once each',
    'longest own stall of the event loop meanwhile',
    'a gate starts',
    'GATE_WORKERS=2, p2 requests/s',
  ]);
  for (const line of lines.slice(2)) expect(line.split('|')[5]?.trim(), line).not.toBe('');
});
