import { chmod, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureEmbedded, removeEmbedded } from '../../lib/db/embedded';
import { isRunning, type ProcessMark, thisProcess } from '../../lib/db/process-lock.mjs';
import { silentLog } from '../../lib/kit/log';
import { makeTemplate } from './database';

const ROOT = join(import.meta.dirname, '../..');
const PREFIX = 'latchkey-test-postgres-';
/** What a test run writes need not outlive it. */
const FAST = { fsync: 'off', full_page_writes: 'off', max_connections: '300' };

/** One PostgreSQL for the whole run: the one named by LATCHKEY_TEST_POSTGRES, else an embedded one that ends with it. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env.LATCHKEY_TEST_POSTGRES) {
    await makeTemplate();
    return async () => undefined;
  }
  await removeLeftovers();
  const dataFolder = await mkdtemp(join(tmpdir(), PREFIX));
  // As root, PostgreSQL runs as another user, who has to get into it.
  await chmod(dataFolder, 0o755);
  await writeFile(join(dataFolder, 'run.json'), JSON.stringify(thisProcess()));
  const embedded = await ensureEmbedded({ root: ROOT, dataFolder, log: silentLog, settings: FAST });
  process.env.LATCHKEY_TEST_POSTGRES = embedded.url;
  await makeTemplate();
  // On a signal vitest ends within a millisecond and takes nothing down. The next run removes the files.
  const endAtOnce = () => void process.kill(embedded.pid, 'SIGQUIT');
  process.once('exit', endAtOnce);
  return async () => {
    process.off('exit', endAtOnce);
    await embedded.release();
    await removeEmbedded(dataFolder);
  };
}

/** Ends and removes what runs that were killed left behind. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dataFolder = join(tmpdir(), name);
    if (!name.startsWith(PREFIX) || (await stat(dataFolder)).uid !== process.getuid?.()) continue;
    const run = JSON.parse(await readFile(join(dataFolder, 'run.json'), 'utf8')) as ProcessMark;
    if (isRunning(run)) continue;
    await (await ensureEmbedded({ root: ROOT, dataFolder, log: silentLog })).release();
    await removeEmbedded(dataFolder);
  }
}
