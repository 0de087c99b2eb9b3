import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** A server under load: a process with the children it made. */
export interface Subject {
  name: string;
  port: number;
  pid: number;
  child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts a server and waits until it takes connections and `isReady` says so. */
export async function startSubject(
  name: string,
  port: number,
  program: string,
  args: readonly string[],
  { env = {}, isReady }: { env?: Record<string, string>; isReady?: () => Promise<boolean> } = {},
): Promise<Subject> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (output += bytes));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const subject: Subject = {
    name,
    port,
    pid: child.pid ?? 0,
    child,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
  const patienceEnds = performance.now() + 60_000;
  while (!(await (isReady?.() ?? answers(port)))) {
    if (child.exitCode !== null || performance.now() > patienceEnds) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return subject;
}

export async function answers(port: number, path = '/', status?: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
    await response.arrayBuffer();
    return status === undefined || response.status === status;
  } catch {
    // Refused: not listening yet.
    return false;
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** USER_HZ: the kernel counts in hundredths of a second on every architecture that Node runs on. */
const TICK_MS = 10;

/** CPU time that a process and its descendants used so far, user and kernel. Read from /proc, so Linux only. */
export function cpuMs(pid: number): number {
  return tree(pid).reduce((sum, each) => sum + (each.userTicks + each.kernelTicks) * TICK_MS, 0);
}

export function residentBytes(pid: number): number {
  return tree(pid).reduce((sum, each) => sum + residentOf(each.pid), 0);
}

function tree(pid: number) {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
  const members = new Set([pid]);
  for (let before = 0; before < members.size; ) {
    before = members.size;
    for (const each of processes) if (members.has(each.parent)) members.add(each.pid);
  }
  return processes.filter((each) => members.has(each.pid));
}

function statOf(pid: number) {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It ended between the listing and the reading.
    return null;
  }
  // The second field is the program's name in brackets and may hold anything (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return { pid, parent: field(4), userTicks: field(14), kernelTicks: field(15) };
}

function residentOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes ?? 0) * 1_024;
}
