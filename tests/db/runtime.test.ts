import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type HeldLock, tryLock } from '../../lib/db/process-lock.mjs';
import { claimDataFolder, clearRuntime, readRuntime, writeRuntime } from '../../lib/db/runtime';

const ROOT = join(import.meta.dirname, '../..');
const FACTS = { port: 3999, url: 'http://localhost:3999', databaseUrl: 'postgresql://localhost/latchkey' };

async function aDataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-runtime-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A process that claims the data folder, writes its runtime file and is then killed in the middle of its work. */
async function aServerThat(dataFolder: string) {
  const script = `
    import { claimDataFolder, writeRuntime } from '${ROOT}/lib/db/runtime';
    await claimDataFolder('${dataFolder}', 'first');
    await writeRuntime('${dataFolder}', ${JSON.stringify(FACTS)});
    process.stdout.write('serving');
    setInterval(() => undefined, 1_000);
  `;
  const file = join(dataFolder, 'server.mts');
  await writeFile(file, script);
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    pid: child.pid ?? 0,
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('a second server on the same data folder is refused with a sentence, until the first is gone', async () => {
  const dataFolder = await aDataFolder();
  const first = await aServerThat(dataFolder);
  await expect(claimDataFolder(dataFolder, 'second')).rejects.toMatchObject({
    code: 'data-folder-taken',
    message: expect.stringMatching(new RegExp(`node first, process ${first.pid}.*LATCHKEY_DATA`)),
  });
  expect(await readRuntime(dataFolder)).toMatchObject({ pid: first.pid, ...FACTS });

  await first.kill();
  expect(await readRuntime(dataFolder)).toBeNull();
  const claim = await claimDataFolder(dataFolder, 'second');
  await claim.release();
  await (await claimDataFolder(dataFolder, 'third')).release();
});

test('the runtime file is for its owner only, and each server clears its own', async () => {
  const dataFolder = await aDataFolder();
  await writeRuntime(dataFolder, FACTS);
  expect((await stat(join(dataFolder, 'runtime.json'))).mode & 0o777).toBe(0o600);
  await clearRuntime(dataFolder);
  expect(await readRuntime(dataFolder)).toBeNull();

  const other = await aServerThat(dataFolder);
  await clearRuntime(dataFolder);
  expect(await readRuntime(dataFolder)).toMatchObject({ pid: other.pid });
});

// Whoever removes a dead holder's lock a moment late would remove the lock of the one who was quicker.
test('of many who find a dead holder’s lock, one gets it', async () => {
  const lock = join(await aDataFolder(), 'lock');
  for (let round = 0; round < 10; round++) {
    await writeFile(
      lock,
      JSON.stringify({ pid: process.pid, started: 'an earlier life', nonce: `n${round}`, note: '' }),
    );
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => tryLock(lock)));
    const held = outcomes.filter((outcome): outcome is HeldLock => outcome.holder === undefined);
    expect(held).toHaveLength(1);
    await held[0]?.release();
  }
});
