import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { bcryptPasswords } from '../../lib/adapters/passwords-bcrypt';
import { openDatabase } from '../../lib/db/client';
import { type SetClock, setClock } from '../../lib/kit/clock';
import { readEnv } from '../../lib/kit/env';
import { silentLog } from '../../lib/kit/log';
import { keyRing } from '../../lib/kit/seal';
import type { App } from '../../lib/ports/app';
import { freshDatabase } from './database';

/** The App on a database and a data folder of its own, with a clock that stands still. */
export interface TestApp extends App {
  clock: SetClock;
  dataFolder: string;
  databaseUrl: string;
}

export const TEST_START = new Date('2026-11-22T10:00:00.000Z');

/** What the outside worlds are in a test that does not touch them: any use is a failure of the test. */
function absent(port: string): never {
  return new Proxy(
    {},
    {
      get(_, property) {
        throw new Error(`This test gave no ${port}, yet ${String(property)} was used.`);
      },
    },
  ) as never;
}

/**
 * Builds an App for one test and takes it down when the test ends.
 *
 * @param world adapters and environment that the test wants different
 */
export async function aTestApp(
  world: { env?: Record<string, string> } & Partial<Omit<App, 'env'>> = {},
): Promise<TestApp> {
  const { env: variables, ...parts } = world;
  const dataFolder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  const database = await freshDatabase();
  const opened = openDatabase(database.url, [], 8);
  onTestFinished(async () => {
    await opened.close();
    await database.drop();
    await rm(dataFolder, { recursive: true, force: true });
  });
  const key = Buffer.alloc(32, 7);
  // The lowest cost bcrypt knows: a test proves that it is used, not that it is slow.
  const passwords = parts.passwords ?? bcryptPasswords(join(import.meta.dirname, '../..'), 4);
  onTestFinished(() => passwords.close());
  return {
    env: readEnv({
      LATCHKEY_MODE: 'demo',
      LATCHKEY_DATA: dataFolder,
      APP_URL: 'http://localhost:3000',
      DATABASE_URL: database.url,
      APP_KEY: key.toString('base64'),
      LATCHKEY_LOG: 'silent',
      ...variables,
    }),
    log: silentLog,
    keys: keyRing(key),
    db: opened.db,
    pool: opened.pool,
    replicas: opened.replicas,
    commits: { count: 0 },
    archive: absent('archive store'),
    mailer: absent('mailer'),
    payments: absent('payments'),
    passwords,
    dataFolder,
    databaseUrl: database.url,
    ...parts,
    clock: (parts.clock as SetClock | undefined) ?? setClock(TEST_START),
  };
}
