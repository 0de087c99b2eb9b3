// Plain JavaScript, because bin/setup.mjs needs it before anything is compiled or installed.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

const LINUX = process.platform === 'linux';

export function startOfProcess(pid) {
  return LINUX ? startFromProc(pid) : startFromPs(pid);
}

function startFromProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything, brackets included.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more; its parent may never look at it.
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return null;
  }
}

function startFromPs(pid) {
  try {
    const [state, ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return state.startsWith('Z') ? null : start.join(' ');
  } catch {
    return null;
  }
}

export function thisProcess() {
  return { pid: process.pid, started: startOfProcess(process.pid) ?? '' };
}

export function isRunning({ pid, started }) {
  return startOfProcess(pid) === started;
}

export async function tryLock(path, note = '') {
  const nonce = randomBytes(8).toString('hex');
  const draft = `${path}.${nonce}`;
  await writeFile(draft, JSON.stringify({ ...thisProcess(), nonce, note }), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link appears at once and whole, where a write could be seen half done.
        await link(draft, path);
        return { release: () => rm(path, { force: true }) };
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = await readHolder(path);
      if (holder === null) continue;
      if (isRunning(holder)) return { holder };
      await breakLock(path, holder);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

export async function takeLock(path, { note = '', patienceMs = Number.POSITIVE_INFINITY, onWait } = {}) {
  const until = Date.now() + patienceMs;
  for (let round = 0; ; round++) {
    const outcome = await tryLock(path, note);
    if (!outcome.holder) return outcome;
    if (round === 0) onWait?.(outcome.holder);
    if (Date.now() > until) throw new Error(`${path} is still held by process ${outcome.holder.pid}`);
    await wait(Math.min(20 + round * 10, 200));
  }
}

async function readHolder(path) {
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    // Only a power loss leaves a torn file, and no holder outlives that.
    return { pid: 0, started: 'torn', nonce: 'torn', note: '' };
  }
}

/**
 * Whoever saw a dead holder takes a lock named after that one holder, looks again, and only then removes. Without it a
 * slow process could remove the lock that a quick one took meanwhile.
 */
async function breakLock(path, dead) {
  const breaker = await tryLock(`${path}.dead-${dead.nonce}`);
  // Somebody else is at it; look again in a moment.
  if (breaker.holder) return wait(5);
  try {
    const present = await readHolder(path);
    if (present?.nonce === dead.nonce) await rm(path, { force: true });
  } finally {
    await breaker.release();
  }
}
