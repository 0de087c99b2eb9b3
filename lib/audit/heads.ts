import { appendFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DAY } from '../kit/clock';
import { errorCode } from '../kit/errors';
import type { Needs } from '../ports/app';

/** Where a month's chain stood at an instant, noted outside the database: what shows that the database was set back. */
export interface Head {
  /** First instant of the month, RFC 3339. */
  month: string;
  rows: number;
  /** Hex. */
  mac: string;
  keyId: string;
  sealedAt: string;
  /** The chain was found to stand behind this; never thinned out. */
  evidence?: true;
}

const THIN_AT_BYTES = 524_288;
const KEEP_HOURLY_MS = 31 * DAY;

export function headsFile(app: Needs<'env'>): string {
  return join(app.env.dataFolder, 'journal', 'heads.jsonl');
}

/** Every head that is kept, in the order of noting; none where there is no file yet. */
export async function readHeads(file: string): Promise<Head[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const lines = text.split('\n');
  // What follows the last line feed is a line that a crash cut off.
  return lines.slice(0, -1).flatMap((line) => parsed(line) ?? []);
}

/** Appends heads; when the file has grown over 512 KB, keeps one per month, and one per hour of the last 31 days. */
export async function noteHeads(file: string, heads: readonly Head[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, heads.map((head) => `${JSON.stringify(head)}\n`).join(''), { mode: 0o600 });
  if ((await stat(file)).size < THIN_AT_BYTES) return;
  const kept = thinned(await readHeads(file));
  await writeFile(`${file}.new`, kept.map((head) => `${JSON.stringify(head)}\n`).join(''), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** The last head of each month and of each recent hour, and whatever is evidence. */
export function thinned(heads: readonly Head[]): Head[] {
  const newest = heads.reduce((latest, head) => Math.max(latest, Date.parse(head.sealedAt)), 0);
  const last = new Map<string, Head>();
  for (const head of heads) {
    last.set(head.month, head);
    if (newest - Date.parse(head.sealedAt) < KEEP_HOURLY_MS) {
      last.set(`${head.month} ${head.sealedAt.slice(0, 13)}`, head);
    }
  }
  const keep = new Set(last.values());
  return heads.filter((head) => keep.has(head) || head.evidence);
}

function parsed(line: string): Head | null {
  try {
    return JSON.parse(line) as Head;
  } catch {
    // A line that two crashes left half written; the heads around it say as much.
    return null;
  }
}
