import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, readlink, rename, rm, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { errorCode, errorMessage } from '../kit/errors';
import type { Log } from '../kit/log';
import { EmbeddedRefused, makeDraftFolder, type Place } from './embedded-place';
import { isRunning, type ProcessMark, startOfProcess } from './process-lock.mjs';

export interface Login {
  user: string;
  password: string;
}

export interface Postmaster extends ProcessMark {
  port: number;
}

/** How long an old server's children or a busy port may stand in the way of a new start. */
const OBSTACLE_PATIENCE_MS = 60_000;
/** Recovery after a crash may take long; it is waited for as long as the process lives and this much at most. */
const START_PATIENCE_MS = 300_000;
/** Fast, then immediate, then kill: together well under the 25 s in which everything has to end. */
const FAST_STOP_MS = 10_000;
const IMMEDIATE_STOP_MS = 3_000;
const LOG_BYTES_MAX = 10_000_000;

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // A socket's path must stay under 108 bytes, which a project's folder does not promise.
  unix_socket_directories: '',
  max_connections: '200',
  synchronous_commit: 'on',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: '%m [%p] ',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** What passes by itself: the old server's memory or port is given back once its last child is gone. */
const OBSTACLE = /pre-existing shared memory block|lock file "[^"]*" already exists|address already in use/i;

/**
 * Makes a cluster aside and puts it into place by rename, so that a kill on the way leaves nothing half made. Text is
 * UTF-8 and sorts by code point, alike on every machine.
 */
export async function createCluster(place: Place, login: Login, settings: Record<string, string>): Promise<void> {
  const parent = dirname(place.dataDirectory);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${basename(place.dataDirectory)}.new-`)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
  const draft = await makeDraftFolder(place);
  await runToEnd(place, 'initdb', [
    ...['-D', draft, '-U', login.user, '-E', 'UTF8', '--no-instructions'],
    ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...['--auth-local=reject', '--auth-host=scram-sha-256'],
    ...(settings.fsync === 'off' ? ['--no-sync'] : []),
  ]);
  await setPassword({ ...place, dataDirectory: draft }, login);
  await rename(draft, place.dataDirectory);
}

/** Gives the role its password, through PostgreSQL's single-user mode: no server may be running. */
export async function setPassword(place: Place, login: Login): Promise<void> {
  await runToEnd(
    place,
    'postgres',
    ['--single', '-D', place.dataDirectory, 'postgres'],
    `alter role "${login.user}" password '${login.password}';\n`,
  );
}

/**
 * The server that runs on this cluster already, once it answers; null where none does. One that is just stopping is
 * waited for; what a killed one left behind is cleared away.
 */
export async function runningIn(place: Place, login: Login): Promise<Postmaster | null> {
  const until = Date.now() + OBSTACLE_PATIENCE_MS;
  for (;;) {
    const postmaster = await postmasterOf(place.dataDirectory);
    if (postmaster === null) return null;
    const problem = postmaster.port > 0 ? await knock(login, postmaster.port) : 'it has not said its port yet';
    if (problem === null) return postmaster;
    if (Date.now() > until) {
      throw new EmbeddedRefused(
        `The PostgreSQL process ${postmaster.pid} works on ${place.dataDirectory} but does not answer (${problem}); end it, then start again.`,
      );
    }
    await wait(100);
  }
}

/** Starts the server on a free port and waits until it answers; what an earlier one left in the way is waited out. */
export async function startPostmaster(
  place: Place,
  login: Login,
  { logFile, settings, log }: { logFile: string; settings: Record<string, string>; log: Log },
): Promise<Postmaster> {
  const until = Date.now() + OBSTACLE_PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryStart(place, login, logFile, settings);
    if (outcome.postmaster) return outcome.postmaster;
    if (!OBSTACLE.test(outcome.said) || Date.now() > until) {
      throw new EmbeddedRefused(
        `The embedded PostgreSQL did not start: ${lastWords(outcome.said)} (the whole story is in ${logFile}).`,
      );
    }
    if (attempt === 1) log.info('Waiting for what an earlier PostgreSQL left behind to go away');
    await endOrphans(place.dataDirectory);
    await wait(200);
  }
}

/** Fast shutdown: open transactions are rolled back, everything committed is on disk. Waits until it is gone. */
export async function stopPostmaster(postmaster: ProcessMark, log: Log): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
    ['SIGKILL', IMMEDIATE_STOP_MS],
  ] as const) {
    if (signal !== 'SIGINT') log.warn(`The embedded PostgreSQL is still running; sending ${signal}`);
    if (!send(postmaster, signal) || (await isGone(postmaster, patienceMs))) return;
  }
  throw new Error(`The PostgreSQL process ${postmaster.pid} does not end.`);
}

/** @returns false where there is nobody left to hear it */
function send(postmaster: ProcessMark, signal: NodeJS.Signals): boolean {
  if (!isRunning(postmaster)) return false;
  try {
    return process.kill(postmaster.pid, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

async function isGone(postmaster: ProcessMark, patienceMs: number): Promise<boolean> {
  const until = Date.now() + patienceMs;
  while (isRunning(postmaster)) {
    if (Date.now() > until) return false;
    await wait(20);
  }
  return true;
}

/** The live process that `postmaster.pid` names; null where it names none, or a number that somebody else got since. */
async function postmasterOf(dataDirectory: string): Promise<Postmaster | null> {
  const lines = await linesOf(join(dataDirectory, 'postmaster.pid'));
  const pid = Number(lines?.[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const started = startOfProcess(pid);
  if (started === null || !(await servesFrom(pid, dataDirectory))) return null;
  return { pid, started, port: Number(lines?.[3]) || 0 };
}

/** The number in a dead server's file may meanwhile be a stranger's, whom PostgreSQL would take for a live server. */
async function disownStranger(dataDirectory: string): Promise<void> {
  const file = join(dataDirectory, 'postmaster.pid');
  const pid = Number((await linesOf(file))?.[0]);
  if (pid > 0 && startOfProcess(pid) !== null && !(await servesFrom(pid, dataDirectory)))
    await rm(file, { force: true });
}

async function servesFrom(pid: number, dataDirectory: string): Promise<boolean> {
  const command =
    process.platform === 'linux'
      ? ((await textOf(`/proc/${pid}/cmdline`)) ?? '').split('\0')
      : (await output('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).trim().split(/ -D | -c /);
  return command.includes(dataDirectory);
}

async function tryStart(
  place: Place,
  login: Login,
  logFile: string,
  settings: Record<string, string>,
): Promise<{ postmaster: Postmaster; said?: undefined } | { postmaster?: undefined; said: string }> {
  await disownStranger(place.dataDirectory);
  const port = await freePort();
  const before = await logSize(logFile);
  const output = await open(logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(
      join(place.binaries, 'bin/postgres'),
      [
        ...['-D', place.dataDirectory, '-p', String(port)],
        ...Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { ...as(place), detached: true, stdio: ['ignore', output.fd, output.fd] },
    );
    await once(child, 'spawn');
  } finally {
    await output.close();
  }
  child.unref();
  const pid = child.pid ?? 0;
  const mark = { pid, started: startOfProcess(pid) ?? '' };
  const until = Date.now() + START_PATIENCE_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      return { said: (await readFile(logFile)).subarray(before).toString() };
    }
    const problem = await knock(login, port);
    if (problem === null) return { postmaster: { ...mark, port } };
    if (Date.now() > until) {
      child.kill('SIGQUIT');
      throw new EmbeddedRefused(`The embedded PostgreSQL does not answer (${problem}); its log is ${logFile}.`);
    }
    await wait(20);
  }
}

/**
 * Ends the children of a postmaster that was killed. They end by themselves at the next wait, which for one in the
 * middle of a long query may be hours away. What they committed is in the log; the rest is rolled back as after any crash.
 * Where there is no /proc, they are only waited for.
 */
async function endOrphans(dataDirectory: string): Promise<void> {
  if (process.platform !== 'linux' || (await postmasterOf(dataDirectory))) return;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Every process of PostgreSQL works in its data directory.
    const [cwd, program] = await Promise.all([linkOf(`/proc/${pid}/cwd`), linkOf(`/proc/${pid}/exe`)]);
    if (cwd !== dataDirectory || !program?.endsWith('/bin/postgres')) continue;
    send({ pid: Number(pid), started: startOfProcess(Number(pid)) ?? '' }, 'SIGKILL');
  }
}

/** Null for another user's process, and for one that has just ended. */
async function linkOf(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch {
    return null;
  }
}

/** Where the log ends now; begun anew once it has grown large. */
async function logSize(logFile: string): Promise<number> {
  try {
    const { size } = await stat(logFile);
    if (size <= LOG_BYTES_MAX) return size;
    await truncate(logFile);
    return 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Null when a login succeeds, else what stood in the way. */
async function knock(login: Login, port: number): Promise<string | null> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    ...login,
    database: 'postgres',
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return null;
  } catch (error) {
    return errorMessage(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The operating system gave no port.');
  return address.port;
}

/** Not our folder, which the other user may not enter; not our environment, whose PG* variables PostgreSQL would read. */
function as(place: Place): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  return {
    cwd: '/',
    env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...(place.runAs && { uid: place.runAs.uid, gid: place.runAs.gid }),
  };
}

async function runToEnd(place: Place, program: string, args: string[], input = ''): Promise<void> {
  // In a session of its own: Ctrl-C would otherwise end it in the middle.
  const child = spawn(join(place.binaries, 'bin', program), args, { ...as(place), detached: true });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  // It may end before it has read everything; its exit code tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0 || /^.*(ERROR|FATAL|PANIC):/m.test(said)) {
    throw new EmbeddedRefused(`PostgreSQL's ${program} failed: ${lastWords(said)}.`);
  }
}

/** The lines of an output that say what went wrong, without the secrets that a statement may hold. */
function lastWords(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !line.includes('STATEMENT:'));
  const telling = lines.filter((line) => /(error|fatal|panic|hint):/i.test(line));
  return (telling.length > 0 ? telling : lines).slice(-3).join(' ').trim() || 'it said nothing';
}

async function output(command: string, args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(child, 'close');
  return text;
}

async function linesOf(file: string): Promise<string[] | null> {
  return (await textOf(file))?.split('\n') ?? null;
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}
