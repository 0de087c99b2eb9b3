import { countThrottled } from '../audit/throttled';
import { type PackageName, parsePackageName } from '../catalog/names';
import { shortVersion } from '../catalog/versions';
import type { Pool } from '../db/client';
import { neighbourhood } from '../http/client-ip';
import { absolute, paths } from '../paths';
import type { Needs } from '../ports/app';
import type { ArchiveStore } from '../ports/archive';
import type { GateEvent, Journal } from '../ports/journal';
import {
  acceptsGzip,
  answerOf,
  type ComposerAnswer,
  documentAnswer,
  notModified,
  refusalAnswer,
  type SettledDocument,
  settledDocument,
} from './answer';
import {
  type Claims,
  emptyDocument,
  type JsonDocument,
  jsonDocument,
  openShelf,
  type ShelvedPackage,
} from './documents';
import { freshness } from './freshness';
import { type Gate, type Holder, openGate } from './gate';
import { openReach, type Reach } from './reach';
import {
  away,
  gone,
  notFound,
  paymentRequired,
  printable,
  type Refusal,
  refusalBody,
  sentenceFor,
  tooMany,
  unauthorized,
} from './refusal';
import { readDownloads } from './usage';
import { coverageSignature, later, type PackageVerdict, type Reason, releaseVerdict } from './verdict';

/** A request's facts, whichever server brought it. */
export interface ComposerRequest {
  method: string;
  /** As on the wire, still encoded, without the query. */
  path: string;
  query: string;
  authorization: string | undefined;
  ifModifiedSince: string | undefined;
  acceptEncoding: string | undefined;
  range: string | undefined;
  ifRange: string | undefined;
  userAgent: string | undefined;
  ip: string | null;
  /** The whole body, or null where it is larger than `bytesMax`. */
  body(bytesMax: number): Promise<Buffer | null>;
}

/** The data plane: every request of Composer, answered. */
export interface Composer {
  /** Decides, records, and only then calls `done`, once. Never throws. */
  handle(request: ComposerRequest, done: (answer: ComposerAnswer) => void): void;
  readonly archive: ArchiveStore;
  readonly reach: Reach;
  stop(): void;
}

type World = Needs<'clock' | 'log' | 'keys' | 'passwords' | 'env' | 'commits' | 'pool' | 'archive'>;

const DOWNLOADS_BYTES_MAX = 1_048_576;
/** An archive's URL names its hash. */
const CACHE_ARCHIVE = 'private, max-age=31536000, immutable';

type Action = GateEvent['action'];

interface Attempt {
  action: Action;
  package: string | null;
  version: string | null;
}

/**
 * @param journal where events go before answers leave
 * @param gatePools the primary first, then replicas; their queries end themselves after READ_TIMEOUT_MS
 */
export function openComposer(app: World, journal: Journal, gatePools: readonly Pool[]): Composer {
  const { appUrl } = app.env;
  const reach = openReach(app, gatePools);
  const gate: Gate = openGate(app, reach);
  const shelf = openShelf(appUrl, reach);
  const throttled = countThrottled({ clock: app.clock, log: app.log, journal });

  const event = (request: ComposerRequest, attempt: Attempt, facts: Partial<GateEvent>): GateEvent => ({
    action: attempt.action,
    verdict: 'admitted',
    reason: null,
    ip: request.ip,
    userAgent: request.userAgent ?? null,
    username: null,
    credentialId: null,
    licenseId: null,
    customerId: null,
    package: attempt.package,
    version: attempt.version,
    ...facts,
  });

  const of = (holder: Holder): Partial<GateEvent> => ({
    username: holder.record.username,
    credentialId: holder.record.id,
    customerId: holder.record.customerId,
  });

  const refuse = (
    request: ComposerRequest,
    attempt: Attempt,
    refusal: Refusal,
    facts: Partial<GateEvent>,
  ): ComposerAnswer =>
    refusalAnswer(appUrl, refusal, [event(request, attempt, { verdict: 'refused', reason: refusal.reason, ...facts })]);

  /** 429s are counted per address and minute, not written one by one. */
  const refuseThrottled = (
    request: ComposerRequest,
    attempt: Attempt,
    refusal: Refusal,
    facts: Partial<GateEvent>,
  ): ComposerAnswer => {
    const counted = event(request, attempt, { verdict: 'refused', reason: refusal.reason, ...facts });
    throttled.note(counted, request.ip ? neighbourhood(request.ip) : undefined);
    return refusalAnswer(appUrl, refusal, []);
  };

  const json = (
    request: ComposerRequest,
    document: JsonDocument,
    headers: Record<string, string>,
    events: GateEvent[],
  ): ComposerAnswer => documentAnswer(document, acceptsGzip(request.acceptEncoding), headers, events);

  const root = (request: ComposerRequest, holder: Holder, claims: Claims): ComposerAnswer => {
    const events = [event(request, { action: 'repository.read', package: null, version: null }, of(holder))];
    if (!claims.changedAt) return json(request, claims.document, {}, events);
    const { lastModified, settled } = freshness(claims.changedAt, 'all', app.clock.now());
    if (settled && request.ifModifiedSince === lastModified) return notModified(lastModified, events);
    return json(request, claims.document, { 'Last-Modified': lastModified }, events);
  };

  const metadata = (
    request: ComposerRequest,
    holder: Holder,
    attempt: Attempt,
    verdict: PackageVerdict & { kind: 'covered' },
    shelved: ShelvedPackage,
    dev: boolean,
  ): ComposerAnswer => {
    const signature = coverageSignature(verdict.entitlements);
    const changedAt = later(shelved.package.changedAt, verdict.changedAt);
    const { lastModified, settled } = freshness(changedAt, signature, app.clock.now());
    const document = shelf.document(shelved, verdict.entitlements, signature, dev);
    const licenseId = verdict.entitlements[0]?.licenseId ?? null;
    const told = event(request, attempt, { ...of(holder), licenseId });
    if (!settled) return json(request, document, { 'Last-Modified': lastModified }, [told]);
    const answers = settledDocument(request, document, lastModified, journal.prepare(told));
    holder.settled.set(request.path, answers);
    return chosen(request, answers);
  };

  const chosen = (request: ComposerRequest, answers: SettledDocument): ComposerAnswer => {
    if (request.ifModifiedSince === answers.lastModified) return answers.unchanged;
    return acceptsGzip(request.acceptEncoding) ? answers.gzip : answers.plain;
  };

  /** A name of ours that this credential may not see: claimed, so that no other repository can slip in under it. */
  const withheld = async (
    request: ComposerRequest,
    holder: Holder,
    attempt: Attempt,
    name: PackageName,
    verdict: PackageVerdict & { kind: 'ended' | 'not-covered' },
  ): Promise<ComposerAnswer> => {
    const sold = await shelf.isSold(name);
    if (sold === 'away') return refuse(request, attempt, away('database-away'), of(holder));
    if (sold === null) return refuse(request, attempt, notFound('unknown-package', name), of(holder));
    const ended = verdict.kind === 'ended' ? verdict : null;
    const reason: Reason = ended?.reason ?? 'not-covered';
    const changedAt = ended ? later(ended.changedAt, sold.changedAt) : sold.changedAt;
    const sentence = printable(sentenceFor(reason, ended?.since ?? null, name));
    const where = ended ? paths.dashboard() : paths.home();
    // It moves like any other document's, but is never answered 304: a 304 would not show the sentence again.
    const { lastModified } = freshness(changedAt, `withheld ${reason}`, app.clock.now());
    return json(
      request,
      emptyDocument(name, `${sentence} ${absolute(appUrl, where)}`),
      { 'Last-Modified': lastModified },
      [event(request, attempt, { ...of(holder), verdict: 'refused', reason, licenseId: ended?.license.id ?? null })],
    );
  };

  const p2 = (
    request: ComposerRequest,
    holder: Holder,
    rawName: string,
    dev: boolean,
  ): ComposerAnswer | Promise<ComposerAnswer> => {
    const name = parsePackageName(rawName);
    const attempt: Attempt = { action: 'metadata.read', package: rawName, version: null };
    if (!name) return refuse(request, attempt, notFound('unknown-path', rawName), of(holder));
    const verdict = holder.verdict(name);
    if (verdict.kind !== 'covered') return withheld(request, holder, attempt, name, verdict);
    const shelved = shelf.shelved(verdict.package);
    if (shelved instanceof Promise) {
      return shelved.then((loaded) =>
        loaded
          ? metadata(request, holder, attempt, verdict, loaded, dev)
          : refuse(request, attempt, away('database-away'), of(holder)),
      );
    }
    return metadata(request, holder, attempt, verdict, shelved, dev);
  };

  const dist = async (request: ComposerRequest, holder: Holder, rest: string): Promise<ComposerAnswer> => {
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
      return refuse(
        request,
        attempt,
        notFound(name ? 'unknown-version' : 'unknown-path', `${vendor}/${project}`),
        of(holder),
      );
    }
    const verdict = holder.verdict(name);
    const sold = verdict.kind === 'not-covered' ? await shelf.isSold(name) : verdict.package;
    if (sold === 'away') return refuse(request, attempt, away('database-away'), of(holder));
    if (!sold) return refuse(request, attempt, notFound('unknown-package', name), of(holder));
    const shelved = await shelf.shelved({ constraint: null, ...sold });
    if (!shelved) return refuse(request, attempt, away('database-away'), of(holder));
    const release = shelved.byVersion.get(version);
    if (!release || release.archiveSha1 !== sha1) {
      return refuse(request, attempt, notFound('unknown-version', name), of(holder));
    }
    const what = `${name} ${release.version}`;
    if (verdict.kind === 'not-covered')
      return refuse(request, attempt, paymentRequired('not-covered', null, what), of(holder));
    if (verdict.kind === 'ended') {
      return refuse(request, attempt, paymentRequired(verdict.reason, verdict.since, what), {
        ...of(holder),
        licenseId: verdict.license.id,
      });
    }
    const opened = releaseVerdict(verdict.entitlements, release);
    if ('reason' in opened) {
      return refuse(request, attempt, paymentRequired(opened.reason, opened.until, what), {
        ...of(holder),
        licenseId: verdict.entitlements[0]?.licenseId ?? null,
      });
    }
    if (release.withdrawnAt) {
      return refuse(request, attempt, gone(what, release.withdrawnReason), {
        ...of(holder),
        licenseId: opened.licenseId,
      });
    }
    return archiveAnswer(request, release, [event(request, attempt, { ...of(holder), licenseId: opened.licenseId })]);
  };

  const archiveAnswer = async (
    request: ComposerRequest,
    release: { archiveSha256: string; archiveSha1: string; archiveBytes: number },
    events: GateEvent[],
  ): Promise<ComposerAnswer> => {
    const etag = `"${release.archiveSha1}"`;
    const common = {
      'Content-Type': 'application/zip',
      'Cache-Control': CACHE_ARCHIVE,
      Vary: 'Authorization',
      'Accept-Ranges': 'bytes',
      ETag: etag,
    };
    const elsewhere = await app.archive.signedUrl(release.archiveSha256);
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
      return answerOf(416, headers, refusalBody(appUrl, { sentence }), events);
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
  };

  const downloads = async (request: ComposerRequest, holder: Holder): Promise<ComposerAnswer> => {
    const attempt: Attempt = { action: 'install.reported', package: null, version: null };
    const body = await request.body(DOWNLOADS_BYTES_MAX);
    if (body === null) {
      const tooLarge = {
        status: 413,
        reason: 'unreadable-request',
        sentence: 'This report of installs is larger than 1 MiB.',
      } as const;
      return refuse(request, attempt, tooLarge, of(holder));
    }
    const reported = readDownloads(body);
    if (!reported) {
      const unreadable = {
        status: 400,
        reason: 'unreadable-request',
        sentence: 'A report of installs is JSON such as {"downloads":[{"name":"acme/forms","version":"1.0.0.0"}]}.',
      } as const;
      return refuse(request, attempt, unreadable, of(holder));
    }
    const uncovered = reported.filter(({ name }) => holder.verdict(name).kind === 'not-covered');
    const sold = await shelf.soldAmong(uncovered.map(({ name }) => name));
    const events = reported.map(({ name, version }) => {
      const told = { ...attempt, package: name, version: shortVersion(version) };
      const verdict = holder.verdict(name);
      if (verdict.kind === 'not-covered') {
        const reason = sold === 'away' || sold.has(name) ? 'not-covered' : 'unknown-package';
        return event(request, told, { ...of(holder), verdict: 'refused', reason });
      }
      if (verdict.kind === 'covered') {
        return event(request, told, { ...of(holder), licenseId: verdict.entitlements[0]?.licenseId ?? null });
      }
      const { reason, license } = verdict;
      return event(request, told, { ...of(holder), verdict: 'refused', reason, licenseId: license.id });
    });
    return json(request, jsonDocument({ status: 'recorded' }), { 'Cache-Control': 'no-store' }, events);
  };

  /** Names that this credential may install now; what search and completion may show. */
  const visible = (holder: Holder): string[] => {
    const names = new Set(holder.record.licenses.flatMap((license) => [...license.packages.keys()]));
    return [...names].filter((name) => holder.verdict(name).kind === 'covered').sort();
  };

  const listed = (request: ComposerRequest, holder: Holder): ComposerAnswer => {
    const query = new URLSearchParams(request.query);
    const vendor = query.get('vendor');
    const filter = wildcard(query.get('filter'));
    const packageNames = visible(holder).filter(
      (name) => (!vendor || name.startsWith(`${vendor}/`)) && (!filter || filter(name)),
    );
    return json(request, jsonDocument({ packageNames }), {}, [
      event(request, { action: 'repository.read', package: null, version: null }, of(holder)),
    ]);
  };

  const searched = async (request: ComposerRequest, holder: Holder): Promise<ComposerAnswer> => {
    const query = new URLSearchParams(request.query);
    const wanted = (query.get('q') ?? '').toLowerCase();
    const type = query.get('type');
    const results: { name: string; description: string; url: string }[] = [];
    for (const name of visible(holder)) {
      const verdict = holder.verdict(name);
      const shelved = verdict.kind === 'covered' ? await shelf.shelved(verdict.package) : null;
      const newest = shelved?.newestFirst[0]?.metadata;
      const description = typeof newest?.description === 'string' ? newest.description : '';
      if (type && newest?.type !== type) continue;
      if (!name.includes(wanted) && !description.toLowerCase().includes(wanted)) continue;
      results.push({ name, description, url: absolute(appUrl, paths.dashboard()) });
    }
    return json(request, jsonDocument({ results, total: results.length }), {}, [
      event(request, { action: 'repository.read', package: null, version: null }, of(holder)),
    ]);
  };

  const admitted = (request: ComposerRequest, holder: Holder): ComposerAnswer | Promise<ComposerAnswer> => {
    const { path } = request;
    const settled = holder.settled.get(path);
    if (settled && settled.ip === request.ip && settled.userAgent === request.userAgent)
      return chosen(request, settled);
    if (path.startsWith('/composer/p2/') && path.endsWith('.json')) {
      const bare = path.slice('/composer/p2/'.length, -'.json'.length);
      const dev = /(?:~|%7e)dev$/i.exec(bare);
      return p2(request, holder, dev ? bare.slice(0, dev.index) : bare, dev !== null);
    }
    if (path === '/composer/packages.json') {
      return shelf
        .claims()
        .then((claims) =>
          claims
            ? root(request, holder, claims)
            : refuse(request, attemptOf(request), away('database-away'), of(holder)),
        );
    }
    if (path.startsWith('/composer/dist/')) return dist(request, holder, path.slice('/composer/dist/'.length));
    if (path === '/composer/downloads') return downloads(request, holder);
    if (path === '/composer/list.json') return listed(request, holder);
    if (path === '/composer/search.json') return searched(request, holder);
    return refuse(request, attemptOf(request), notFound('unknown-path', path), of(holder));
  };

  const nobody = async (
    request: ComposerRequest,
    who: { reason: 'no-credential' | 'malformed-credential' | 'wrong-credential'; username: string | null },
  ): Promise<ComposerAnswer> => {
    const attempt = attemptOf(request);
    // Sending nothing is how every client begins that was not told yet; only a wrong secret is a guess.
    const waitSeconds = who.reason === 'no-credential' ? 0 : await gate.wrongFrom(request.ip);
    if (waitSeconds > 0) {
      return refuseThrottled(request, attempt, tooMany('too-many-wrong-credentials', waitSeconds), {
        username: who.username,
      });
    }
    return refuse(request, attempt, unauthorized(who.reason, appUrl), { username: who.username });
  };

  const decide = (request: ComposerRequest): ComposerAnswer | Promise<ComposerAnswer> => {
    const allow = request.path === '/composer/downloads' ? 'POST' : 'GET, HEAD';
    if (!(allow === 'POST' ? request.method === 'POST' : request.method === 'GET' || request.method === 'HEAD')) {
      return methodNotAllowed(appUrl, allow);
    }
    const now = app.clock.now();
    const who = gate.identify(request.authorization, request.ip, now);
    return who instanceof Promise
      ? who.then((identified) => answerTo(request, identified, app.clock.now()))
      : answerTo(request, who, now);
  };

  const answerTo = (
    request: ComposerRequest,
    who: Awaited<ReturnType<Gate['identify']>>,
    now: Date,
  ): ComposerAnswer | Promise<ComposerAnswer> => {
    if (who.kind === 'nobody') return nobody(request, who);
    if (who.kind === 'away')
      return refuse(request, attemptOf(request), away('database-away'), { username: who.username });
    const { holder } = who;
    if (holder.overLimit(app.env.credentialRequestsPerMinute, now.getTime())) {
      return refuseThrottled(
        request,
        attemptOf(request),
        tooMany('too-many-requests', 60 - now.getUTCSeconds()),
        of(holder),
      );
    }
    const { refusal } = holder;
    if (refusal) {
      return refuse(request, attemptOf(request), paymentRequired(refusal.reason, refusal.since, null), {
        ...of(holder),
        licenseId: refusal.license?.id ?? null,
      });
    }
    holder.admitted();
    return admitted(request, holder);
  };

  /** The answer leaves when its events are in the journal; where they cannot be, nobody is served unrecorded. */
  const deliver = (request: ComposerRequest, answer: ComposerAnswer, done: (answer: ComposerAnswer) => void) => {
    const out = request.method === 'HEAD' ? withoutBody(answer) : answer;
    let waiting = out.events.length;
    if (waiting === 0) return done(out);
    let failed: Error | null = null;
    for (const each of out.events) {
      journal.append(each, (error) => {
        failed ??= error;
        waiting -= 1;
        if (waiting === 0) done(failed ? refusalAnswer(appUrl, away('database-away'), []) : out);
      });
    }
  };

  const fail = (request: ComposerRequest, error: unknown, done: (answer: ComposerAnswer) => void) => {
    app.log.error('A Composer request failed.', {
      path: request.path,
      error: error instanceof Error ? error.stack : String(error),
    });
    done(refusalAnswer(appUrl, away('database-away'), []));
  };

  return {
    handle(request, done) {
      try {
        const answer = decide(request);
        if (!(answer instanceof Promise)) return deliver(request, answer, done);
        answer.then(
          (settled) => deliver(request, settled, done),
          (error) => fail(request, error, done),
        );
      } catch (error) {
        fail(request, error, done);
      }
    },
    archive: app.archive,
    reach,
    stop() {
      gate.stop();
      reach.stop();
      throttled.flush();
    },
  };
}

/** What a request was after, for the audit log, where nothing more is known yet. */
function attemptOf({ path }: ComposerRequest): Attempt {
  if (path.startsWith('/composer/p2/')) {
    return {
      action: 'metadata.read',
      package: path.slice('/composer/p2/'.length).replace(/((~|%7e)dev)?\.json$/i, ''),
      version: null,
    };
  }
  if (path.startsWith('/composer/dist/')) {
    const [vendor = '', project = '', part = ''] = path.slice('/composer/dist/'.length).split('/');
    const version = decoded(part);
    return { action: 'archive.downloaded', package: `${vendor}/${project}`, version: version && shortVersion(version) };
  }
  if (path === '/composer/downloads') return { action: 'install.reported', package: null, version: null };
  return { action: 'repository.read', package: null, version: null };
}

function methodNotAllowed(appUrl: string, allow: string): ComposerAnswer {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Allow: allow };
  return answerOf(
    405,
    headers,
    refusalBody(appUrl, { sentence: `This address of the repository answers ${allow} only.` }),
    [],
  );
}

/** HEAD: the same headers, the length that GET would have among them (RFC 9110, 9.3.2). */
function withoutBody({ archive: _, ...rest }: ComposerAnswer): ComposerAnswer {
  return { ...rest, body: null };
}

function decoded(part: string): string | null {
  try {
    return part.includes('%') ? decodeURIComponent(part) : part;
  } catch {
    // Broken percent-encoding names nothing.
    return null;
  }
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

/** Composer's `*` in a list filter, any case. */
function wildcard(pattern: string | null): ((name: string) => boolean) | null {
  if (!pattern) return null;
  const parts = pattern.toLowerCase().split('*');
  return (name) => {
    let from = 0;
    for (const [index, each] of parts.entries()) {
      const at = index === 0 ? (name.startsWith(each) ? 0 : -1) : name.indexOf(each, from);
      if (at < 0) return false;
      from = at + each.length;
    }
    const last = parts.at(-1) ?? '';
    return parts.length > 1 ? name.endsWith(last) : name === pattern.toLowerCase();
  };
}
