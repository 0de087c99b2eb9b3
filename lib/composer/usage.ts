import { type PackageName, parsePackageName } from '../catalog/names';
import { versionCharactersMax } from '../catalog/versions';

/** A report names what one run installed; nobody installs more of one vendor's packages at once. */
const REPORTED_MAX = 1_000;

/**
 * Reads the body of notify-batch: `{"downloads":[{"name","version"}]}`, versions normalised by the client. It is
 * telemetry: entries that name nothing are left out, the rest counts.
 *
 * @returns null where the body is not of that form at all
 */
export function readDownloads(body: Buffer): { name: PackageName; version: string }[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    // Not JSON is one of the ways not to be a report.
    return null;
  }
  const downloads = (parsed as { downloads?: unknown } | null)?.downloads;
  if (!Array.isArray(downloads)) return null;
  const reported: { name: PackageName; version: string }[] = [];
  for (const each of downloads.slice(0, REPORTED_MAX)) {
    const { name, version } = (each ?? {}) as { name?: unknown; version?: unknown };
    if (typeof name !== 'string' || typeof version !== 'string' || version.length > versionCharactersMax) continue;
    const known = parsePackageName(name);
    if (known) reported.push({ name: known, version });
  }
  return reported;
}
