import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DomainError, errorCode } from '../kit/errors';
import { isRunning, type ProcessMark, thisProcess, tryLock } from './process-lock.mjs';

/** What the running server tells the commands beside it: `runtime.json` in the data folder, readable by its owner only. */
export interface Runtime extends ProcessMark {
  port: number;
  /** Where the server answers, without a trailing slash. */
  url: string;
  databaseUrl: string;
}

const runtimeFile = z.object({
  pid: z.number().int(),
  started: z.string(),
  port: z.number().int(),
  url: z.string(),
  databaseUrl: z.string(),
});

export class DataFolderTaken extends DomainError {
  constructor(
    readonly dataFolder: string,
    readonly pid: number,
    readonly node: string,
  ) {
    super(
      'data-folder-taken',
      `Another server (node ${node}, process ${pid}) already works on ${dataFolder}; stop it first, or give this one a data folder of its own with LATCHKEY_DATA.`,
    );
  }
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'runtime.json');
}

/** Says where this process serves. Put there by rename, so that no command reads half a file. */
export async function writeRuntime(
  dataFolder: string,
  facts: { port: number; url: string; databaseUrl: string },
): Promise<void> {
  const draft = `${fileIn(dataFolder)}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify({ ...thisProcess(), ...facts }, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, fileIn(dataFolder));
}

/** The server that runs on this data folder now; null where none does, also when a killed one left its file behind. */
export async function readRuntime(dataFolder: string): Promise<Runtime | null> {
  let text: string;
  try {
    text = await readFile(fileIn(dataFolder), 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const runtime = readable(text);
  return runtime && isRunning(runtime) ? runtime : null;
}

/** Null for a file that a power loss left torn: it tells of a server that did not outlive it. */
function readable(text: string): Runtime | null {
  try {
    return runtimeFile.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Removes what this process wrote; another server's file stays. */
export async function clearRuntime(dataFolder: string): Promise<void> {
  const runtime = await readRuntime(dataFolder);
  if (runtime === null || runtime.pid === process.pid) await rm(fileIn(dataFolder), { force: true });
}

/**
 * Makes this process the one server of a data folder until it releases or dies. The folder is made where it is missing.
 *
 * @param node named to whoever is refused
 * @throws {DataFolderTaken} while another server holds it
 */
export async function claimDataFolder(dataFolder: string, node: string): Promise<{ release(): Promise<void> }> {
  await mkdir(dataFolder, { recursive: true });
  const claim = await tryLock(join(dataFolder, 'server.lock'), node);
  if (claim.holder) throw new DataFolderTaken(dataFolder, claim.holder.pid, claim.holder.note);
  return claim;
}
