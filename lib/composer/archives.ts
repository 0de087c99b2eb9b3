import { parsePackageName } from '../catalog/names';
import { shortVersion } from '../catalog/versions';
import type { GateEvent } from '../ports/journal';
import { answerOf, type ComposerAnswer } from './answer';
import type { Holder } from './gate';
import { away, gone, notFound, paymentRequired, refusalBody } from './refusal';
import { type Attempt, asked, type ComposerRequest, decoded, eventOf, type Plane, refuse } from './request';
import { releaseVerdict } from './verdict';

/** An archive's URL names its hash. */
const CACHE_ARCHIVE = 'private, max-age=31536000, immutable';

/**
 * `dist/{vendor}/{name}/{version_normalized}/{sha1}.zip`. Composer carries on from cached metadata after any error but
 * 404, so this is the check that counts.
 *
 * @param rest what follows `/composer/dist/`
 */
export async function archiveAnswer(
  plane: Plane,
  request: ComposerRequest,
  holder: Holder,
  rest: string,
): Promise<ComposerAnswer> {
  const [vendor = '', project = '', rawVersion = '', file = '', ...more] = rest.split('/');
  const name = parsePackageName(`${vendor}/${project}`);
  const version = decoded(rawVersion);
  const sha1 = /^([0-9a-f]{40})\.zip$/.exec(file)?.[1];
  const attempt: Attempt = {
    action: 'archive.downloaded',
    package: `${vendor}/${project}`,
    version: version && shortVersion(version),
  };
  if (!name || version === null || !sha1 || more.length > 0) {
    const nothing = notFound(name ? 'unknown-version' : 'unknown-path', `${vendor}/${project}`);
    return refuse(plane, request, attempt, nothing, asked(holder));
  }
  const verdict = holder.verdict(name);
  const sold = verdict.kind === 'not-covered' ? await plane.shelf.isSold(name) : verdict.package;
  if (sold === 'away') return refuse(plane, request, attempt, away('database-away'), asked(holder));
  if (!sold) return refuse(plane, request, attempt, notFound('unknown-package', name), asked(holder));
  const shelved = await plane.shelf.shelved({ constraint: null, ...sold });
  if (!shelved) return refuse(plane, request, attempt, away('database-away'), asked(holder));
  const release = shelved.byVersion.get(version);
  if (!release || release.archiveSha1 !== sha1) {
    return refuse(plane, request, attempt, notFound('unknown-version', name), asked(holder));
  }
  const what = `${name} ${release.version}`;
  if (verdict.kind === 'not-covered')
    return refuse(plane, request, attempt, paymentRequired('not-covered', null, what), asked(holder));
  if (verdict.kind === 'ended') {
    return refuse(plane, request, attempt, paymentRequired(verdict.reason, verdict.since, what), {
      ...asked(holder),
      licenseId: verdict.license.id,
    });
  }
  const opened = releaseVerdict(verdict.entitlements, release);
  if ('reason' in opened) {
    return refuse(plane, request, attempt, paymentRequired(opened.reason, opened.until, what), {
      ...asked(holder),
      licenseId: verdict.entitlements[0]?.licenseId ?? null,
    });
  }
  if (release.withdrawnAt) {
    return refuse(plane, request, attempt, gone(what, release.withdrawnReason), {
      ...asked(holder),
      licenseId: opened.licenseId,
    });
  }
  return stored(plane, request, release, [
    eventOf(request, attempt, { ...asked(holder), licenseId: opened.licenseId }),
  ]);
}

async function stored(
  plane: Plane,
  request: ComposerRequest,
  release: { archiveSha256: string; archiveSha1: string; archiveBytes: number },
  events: GateEvent[],
): Promise<ComposerAnswer> {
  const etag = `"${release.archiveSha1}"`;
  const common = {
    'Content-Type': 'application/zip',
    'Cache-Control': CACHE_ARCHIVE,
    Vary: 'Authorization',
    'Accept-Ranges': 'bytes',
    ETag: etag,
  };
  const elsewhere = await plane.archive.signedUrl(release.archiveSha256);
  if (elsewhere) {
    return {
      status: 302,
      headers: { Location: elsewhere, 'Cache-Control': 'private, no-store' },
      body: null,
      events,
    };
  }
  const size = release.archiveBytes;
  const range = request.ifRange && request.ifRange !== etag ? null : byteRange(request.range, size);
  if (range === 'unsatisfiable') {
    const headers = {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Content-Range': `bytes */${size}`,
    };
    const sentence = `This archive has ${size} bytes; the range lies outside.`;
    return answerOf(416, headers, refusalBody(plane.appUrl, { sentence }), events);
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  return {
    status: range ? 206 : 200,
    headers: {
      ...common,
      'Content-Length': String(end - start + 1),
      ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
    },
    body: null,
    archive: { sha256: release.archiveSha256, start, end },
    events,
  };
}

/** One range of RFC 9110 14.1.2; several at once, or none that is readable, are answered with the whole archive. */
function byteRange(header: string | undefined, size: number): { start: number; end: number } | 'unsatisfiable' | null {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < start) return null;
  return start >= size ? 'unsatisfiable' : { start, end };
}
