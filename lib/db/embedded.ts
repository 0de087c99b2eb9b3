import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { errorCode } from '../kit/errors';
import { randomLower } from '../kit/ids';
import type { Log } from '../kit/log';
import { findPlace, forgetPlace } from './embedded-place';
import {
  createCluster,
  type Login,
  type Postmaster,
  runningIn,
  setPassword,
  startPostmaster,
  stopPostmaster,
} from './embedded-postmaster';
import { isRunning, type ProcessMark, takeLock, thisProcess } from './process-lock.mjs';

/** Role and database of the embedded cluster; the role owns everything, the cluster serves nobody else. */
const NAME = 'latchkey';
const LOCK_PATIENCE_MS = 180_000;

export interface Embedded {
  /** With the password: never to be logged. */
  url: string;
  dataDirectory: string;
  /** The postmaster. */
  pid: number;
  /** True where this call started it, false where it was running already. */
  started: boolean;
  /** Gives it back; whoever is last stops it, and the promise waits for that. Asked twice, done once. */
  release(): Promise<void>;
}

/**
 * The embedded PostgreSQL of a data folder: made where there is none, started where it does not run, else shared with
 * the processes that use it already. It runs in a session of its own, so that Ctrl-C reaches it only through `release`.
 *
 * @param root the project's folder, where `node_modules/` stands
 * @param settings PostgreSQL's own, given at start (a running one keeps what it has)
 * @throws {EmbeddedRefused} with a sentence on what to do, such as for data of another major version
 */
export async function ensureEmbedded({
  root,
  dataFolder: folder,
  log,
  settings = {},
}: {
  root: string;
  dataFolder: string;
  log: Log;
  settings?: Record<string, string>;
}): Promise<Embedded> {
  const dataFolder = resolve(folder);
  await mkdir(dataFolder, { recursive: true });
  const lock = await takeLock(lockFile(dataFolder), { note: 'start', patienceMs: LOCK_PATIENCE_MS });
  try {
    const place = await findPlace(root, dataFolder, log);
    const known = await readPassword(dataFolder);
    const login: Login = { user: NAME, password: known ?? (await makePassword(dataFolder)) };
    if (place.isNew) {
      log.info(`Making a PostgreSQL cluster in ${place.dataDirectory}`);
      await createCluster(place, login, settings);
    }
    let running = await runningIn(place, login);
    const started = running === null;
    if (running === null) {
      // Whoever removed the password's file gets another one; the data stay.
      if (!place.isNew && known === null) await setPassword(place, login);
      running = await startPostmaster(place, login, { logFile: join(dataFolder, 'postgres.log'), settings, log });
      log.info(`Started the embedded PostgreSQL on port ${running.port}`, { pid: running.pid, port: running.port });
    }
    const postmaster: Postmaster = running;
    await ensureDatabase(login, postmaster.port);
    const registration = await register(dataFolder);
    let released: Promise<void> | null = null;
    return {
      url: urlOf(login, postmaster.port, NAME),
      dataDirectory: place.dataDirectory,
      pid: postmaster.pid,
      started,
      release: () => {
        released ??= release(dataFolder, registration, postmaster, log);
        return released;
      },
    };
  } finally {
    await lock.release();
  }
}

/** Removes an embedded cluster that nobody uses, and the data folder with it. What stood in them is gone. */
export async function removeEmbedded(dataFolder: string): Promise<void> {
  await forgetPlace(dataFolder);
  await rm(dataFolder, { recursive: true, force: true });
}

async function release(dataFolder: string, registration: string, postmaster: ProcessMark, log: Log): Promise<void> {
  const lock = await takeLock(lockFile(dataFolder), { note: 'stop', patienceMs: LOCK_PATIENCE_MS });
  try {
    await rm(registration, { force: true });
    if ((await users(dataFolder)) > 0) return;
    if (!isRunning(postmaster)) return;
    await stopPostmaster(postmaster, log);
    log.info('Stopped the embedded PostgreSQL', { pid: postmaster.pid });
  } finally {
    await lock.release();
  }
}

function lockFile(dataFolder: string): string {
  return join(dataFolder, 'postgres.lock');
}

function usersFolder(dataFolder: string): string {
  return join(dataFolder, 'postgres.users');
}

/** One file per use, so that a process that was killed is seen to be gone. */
async function register(dataFolder: string): Promise<string> {
  const file = join(usersFolder(dataFolder), `${process.pid}-${randomLower(8)}`);
  await mkdir(usersFolder(dataFolder), { recursive: true });
  await writeFile(file, JSON.stringify(thisProcess()));
  return file;
}

/** How many uses are left; those of dead processes are cleared away. Asked only under the lock. */
async function users(dataFolder: string): Promise<number> {
  let alive = 0;
  for (const name of await readdir(usersFolder(dataFolder))) {
    const file = join(usersFolder(dataFolder), name);
    if (isRunning(markIn(await readFile(file, 'utf8')))) alive++;
    else await rm(file, { force: true });
  }
  return alive;
}

/** A file that a kill left half written belongs to a dead process. */
function markIn(text: string): ProcessMark {
  try {
    return JSON.parse(text) as ProcessMark;
  } catch {
    return { pid: 0, started: 'torn' };
  }
}

function passwordFile(dataFolder: string): string {
  return join(dataFolder, 'postgres.password');
}

async function readPassword(dataFolder: string): Promise<string | null> {
  try {
    return (await readFile(passwordFile(dataFolder), 'utf8')).trim() || null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function makePassword(dataFolder: string): Promise<string> {
  const password = randomBytes(24).toString('hex');
  const draft = `${passwordFile(dataFolder)}.new`;
  await writeFile(draft, `${password}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, passwordFile(dataFolder));
  return password;
}

function urlOf(login: Login, port: number, database: string): string {
  return `postgresql://${login.user}:${login.password}@127.0.0.1:${port}/${database}`;
}

async function ensureDatabase(login: Login, port: number): Promise<void> {
  const client = new Client({ connectionString: urlOf(login, port, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [NAME]);
    if (!rowCount) await client.query(`create database "${NAME}"`);
  } finally {
    await client.end();
  }
}
