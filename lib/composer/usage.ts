import { type PackageName, parsePackageName } from '../catalog/names';
import { shortVersion, versionCharactersMax } from '../catalog/versions';
import type { ComposerAnswer } from './answer';
import { jsonDocument } from './documents';
import type { Holder } from './gate';
import { type Attempt, asked, type ComposerRequest, eventOf, json, type Plane, refuse } from './request';

const DOWNLOADS_BYTES_MAX = 1_048_576;
/** A report names what one run installed; nobody installs more of one vendor's packages at once. */
const REPORTED_MAX = 1_000;

/** `POST downloads` (notify-batch): one event for each install that a client reports. */
export async function usageAnswer(plane: Plane, request: ComposerRequest, holder: Holder): Promise<ComposerAnswer> {
  const attempt: Attempt = { action: 'install.reported', package: null, version: null };
  const body = await request.body(DOWNLOADS_BYTES_MAX);
  if (body === null) {
    const tooLarge = {
      status: 413,
      reason: 'unreadable-request',
      sentence: 'This report of installs is larger than 1 MiB.',
    } as const;
    return refuse(plane, request, attempt, tooLarge, asked(holder));
  }
  const reported = readDownloads(body);
  if (!reported) {
    const unreadable = {
      status: 400,
      reason: 'unreadable-request',
      sentence: 'A report of installs is JSON such as {"downloads":[{"name":"acme/forms","version":"1.0.0.0"}]}.',
    } as const;
    return refuse(plane, request, attempt, unreadable, asked(holder));
  }
  const uncovered = reported.filter(({ name }) => holder.verdict(name).kind === 'not-covered');
  const sold = await plane.shelf.soldAmong(uncovered.map(({ name }) => name));
  const events = reported.map(({ name, version }) => {
    const told = { ...attempt, package: name, version: shortVersion(version) };
    const verdict = holder.verdict(name);
    if (verdict.kind === 'not-covered') {
      const reason = sold === 'away' || sold.has(name) ? 'not-covered' : 'unknown-package';
      return eventOf(request, told, { ...asked(holder), verdict: 'refused', reason });
    }
    if (verdict.kind === 'covered') {
      return eventOf(request, told, { ...asked(holder), licenseId: verdict.entitlements[0]?.licenseId ?? null });
    }
    const { reason, license } = verdict;
    return eventOf(request, told, { ...asked(holder), verdict: 'refused', reason, licenseId: license.id });
  });
  return json(request, jsonDocument({ status: 'recorded' }), { 'Cache-Control': 'no-store' }, events);
}

/**
 * Reads the body of notify-batch: `{"downloads":[{"name","version"}]}`, versions normalised by the client. It is
 * telemetry: entries that name nothing are left out, the rest counts.
 *
 * @returns null where the body is not of that form at all
 */
function readDownloads(body: Buffer): { name: PackageName; version: string }[] | null {
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
