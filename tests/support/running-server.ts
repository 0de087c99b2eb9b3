import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeEmbedded } from '../../lib/db/embedded';
import { readEnv } from '../../lib/kit/env';
import { silentLog } from '../../lib/kit/log';
import { type Assembled, assemble } from '../../lib/wiring';
import { aChild, bareEnvironment, type Child, type Ended, type Environment } from './child';
import { freshDatabase } from './database';
import { freePort } from './free-port';

export const ROOT = join(import.meta.dirname, '../..');

/** A data folder and, unless it is embedded, a database: what outlives the processes that work on it. */
export interface Installation {
  dataFolder: string;
  /** Null where the product brings its own. */
  databaseUrl: string | null;
  /** Where its server listens. */
  url: string;
  /** What every process of it is told. */
  env: Environment;
  /** Starts the compiled server, as `npm start` does after building, and waits until it serves. */
  start(env?: Environment): Promise<RunningServer>;
  /** Starts it without waiting for anything. */
  launch(env?: Environment): Child;
  /** The compiled command line beside it. */
  latchkey(...words: string[]): Promise<Ended>;
  /** The same with `--json`, parsed; fails where the command was refused. */
  told<T = Record<string, unknown>>(...words: string[]): Promise<T>;
  /** The product's own App on the same data, as a page would hold it. */
  app(): Promise<Assembled>;
  /** Delivered mails, oldest first. */
  outbox(): Promise<Mail[]>;
  remove(): Promise<void>;
}

export interface Mail {
  file: string;
  kind: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

export interface RunningServer extends Child {
  pid: number;
  /** SIGTERM, then everything it still says. */
  stop(): Promise<Ended>;
}

/**
 * An installation in demo mode without the demo vendor.
 *
 * @param of.embedded true for the database that the product brings along; else one of the test run's PostgreSQL
 * @param of.env over what every process is told; undefined leaves a variable out
 */
export async function anInstallation(of: { embedded?: boolean; env?: Environment } = {}): Promise<Installation> {
  if (!existsSync(join(ROOT, 'dist/server.js'))) throw new Error('Build first: node bin/setup.mjs build.');
  const dataFolder = await mkdtemp(join(tmpdir(), 'latchkey-data-'));
  // As root, PostgreSQL runs as another user, who has to get into it.
  if (of.embedded) await chmod(dataFolder, 0o755);
  const database = of.embedded ? null : await freshDatabase();
  const port = await freePort();
  const env: Environment = {
    ...bareEnvironment(),
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
    LATCHKEY_MODE: 'demo',
    LATCHKEY_DEMO: '0',
    LATCHKEY_DATA: dataFolder,
    PORT: String(port),
    ...(database ? { DATABASE_URL: database.url } : {}),
    ...of.env,
  };
  const running = new Set<Child>();
  const url = `http://localhost:${port}`;

  const node = (script: string, args: readonly string[], over: Environment = {}) => {
    const child = aChild(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, env: { ...env, ...over } });
    running.add(child);
    void child.ended.finally(() => running.delete(child));
    return child;
  };

  const here: Installation = {
    dataFolder,
    databaseUrl: database?.url ?? null,
    url,
    env,
    launch: (over) => node('dist/server.js', [], over),
    async start(over) {
      const child = here.launch(over);
      await serving(child, over?.PORT ? `http://localhost:${over.PORT}` : url);
      return {
        ...child,
        pid: child.process.pid ?? 0,
        stop: () => {
          child.process.kill('SIGTERM');
          return child.ended;
        },
      };
    },
    latchkey: (...words) => node('dist/bin/latchkey.js', words).ended,
    async told<T>(...words: string[]) {
      const { exit, stdout, stderr } = await here.latchkey(...words, '--json');
      if (exit !== 0) throw new Error(`latchkey ${words.join(' ')} ended with ${exit}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    async app() {
      const runtime = database ? null : JSON.parse(await readFile(join(dataFolder, 'runtime.json'), 'utf8'));
      return assemble(readEnv({ ...env, LATCHKEY_LOG: 'silent' }), database?.url ?? runtime.databaseUrl, silentLog);
    },
    async outbox() {
      const folder = join(dataFolder, 'outbox');
      const files = existsSync(folder) ? (await readdir(folder)).sort() : [];
      return Promise.all(
        files.map(async (file) => ({ file, ...JSON.parse(await readFile(join(folder, file), 'utf8')) }) as Mail),
      );
    },
    async remove() {
      for (const child of running) {
        child.process.kill('SIGTERM');
        await child.ended;
      }
      if (database) await database.drop();
      else await removeEmbedded(dataFolder);
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
  return here;
}

/** Resolves once pages and repository answer; rejects with what the server said if it ended instead. */
async function serving(child: Child, url: string): Promise<void> {
  let over = false;
  void child.ended.finally(() => {
    over = true;
  });
  while (!over) {
    if (child.output().includes('Ready as ') || child.output().includes('Latchkey is ready')) {
      if (await isReady(url)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`The server did not start:\n${child.output()}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).status === 200;
  } catch {
    return false;
  }
}

/** Asks until the answer is there, for facts that another process brings about. */
export async function eventually<T>(look: () => Promise<T | null | undefined | false>, withinMs = 20_000): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > until) throw new Error(`It did not come about within ${withinMs} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
