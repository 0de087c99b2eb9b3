import { type ChildProcess, spawn } from 'node:child_process';

export type Environment = Record<string, string | undefined>;

export interface Ended {
  exit: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Child {
  process: ChildProcess;
  /** stdout and stderr so far, as they came. */
  output(): string;
  /** Settles when the process is gone and all it said was read. */
  ended: Promise<Ended>;
}

/** Starts a program with this environment alone, without a terminal, in a process group of its own. */
export function aChild(
  command: string,
  args: readonly string[],
  { env, cwd, stdin = '' }: { env: Environment; cwd: string; stdin?: string },
): Child {
  const child = spawn(command, args, {
    cwd,
    env: env as NodeJS.ProcessEnv,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    output += text;
  });
  child.stdin.on('error', () => undefined).end(stdin);
  return {
    process: child,
    output: () => output,
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr }));
    }),
  };
}

/** The environment of this test run without what it says to the product: each test says that itself. */
export function bareEnvironment(): Environment {
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  return { PATH, HOME, LANG, TMPDIR };
}
