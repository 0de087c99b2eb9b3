import { countThrottled } from '../audit/throttled';
import type { Pool } from '../db/client';
import { neighbourhood } from '../http/client-ip';
import type { Needs } from '../ports/app';
import type { ArchiveStore } from '../ports/archive';
import type { GateEvent, Journal } from '../ports/journal';
import { answerOf, type ComposerAnswer, refusalAnswer } from './answer';
import { archiveAnswer } from './archives';
import { openShelf } from './documents';
import { type Gate, type Holder, openGate } from './gate';
import { listed, searched } from './listings';
import { chosen, metadataAnswer, rootAnswer } from './metadata';
import { openReach, type Reach } from './reach';
import { away, notFound, paymentRequired, type Refusal, refusalBody, tooMany, unauthorized } from './refusal';
import { type Attempt, asked, attemptOf, type ComposerRequest, eventOf, type Plane, refuse } from './request';
import { usageAnswer } from './usage';

/** The data plane: every request of Composer, answered. */
export interface Composer {
  /** Decides, records, and only then calls `done`, once. Never throws. */
  handle(request: ComposerRequest, done: (answer: ComposerAnswer) => void): void;
  readonly archive: ArchiveStore;
  readonly reach: Reach;
  stop(): void;
}

type World = Needs<'clock' | 'log' | 'keys' | 'passwords' | 'env' | 'commits' | 'pool' | 'archive'>;

/**
 * @param journal where events go before answers leave
 * @param gatePools the primary first, then replicas; their queries end themselves after READ_TIMEOUT_MS
 */
export function openComposer(app: World, journal: Journal, gatePools: readonly Pool[]): Composer {
  const { appUrl } = app.env;
  const reach = openReach(app, gatePools);
  const gate: Gate = openGate(app, reach);
  const plane: Plane = { appUrl, clock: app.clock, shelf: openShelf(appUrl, reach), journal, archive: app.archive };
  const throttled = countThrottled({ clock: app.clock, log: app.log, journal });

  /** 429s are counted per address and minute, not written one by one. */
  const refuseThrottled = (
    request: ComposerRequest,
    attempt: Attempt,
    refusal: Refusal,
    facts: Partial<GateEvent>,
  ): ComposerAnswer => {
    const counted = eventOf(request, attempt, { verdict: 'refused', reason: refusal.reason, ...facts });
    throttled.note(counted, request.ip ? neighbourhood(request.ip) : undefined);
    return refusalAnswer(appUrl, refusal, []);
  };

  const admitted = (request: ComposerRequest, holder: Holder): ComposerAnswer | Promise<ComposerAnswer> => {
    const { path } = request;
    const settled = holder.settled.get(path);
    if (settled && settled.ip === request.ip && settled.userAgent === request.userAgent)
      return chosen(request, settled);
    if (path.startsWith('/composer/p2/') && path.endsWith('.json')) {
      const bare = path.slice('/composer/p2/'.length, -'.json'.length);
      const dev = /(?:~|%7e)dev$/i.exec(bare);
      return metadataAnswer(plane, request, holder, dev ? bare.slice(0, dev.index) : bare, dev !== null);
    }
    if (path === '/composer/packages.json') {
      return plane.shelf
        .claims()
        .then((claims) =>
          claims
            ? rootAnswer(plane, request, holder, claims)
            : refuse(plane, request, attemptOf(request), away('database-away'), asked(holder)),
        );
    }
    if (path.startsWith('/composer/dist/'))
      return archiveAnswer(plane, request, holder, path.slice('/composer/dist/'.length));
    if (path === '/composer/downloads') return usageAnswer(plane, request, holder);
    if (path === '/composer/list.json') return listed(request, holder);
    if (path === '/composer/search.json') return searched(plane, request, holder);
    return refuse(plane, request, attemptOf(request), notFound('unknown-path', path), asked(holder));
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
    return refuse(plane, request, attempt, unauthorized(who.reason, appUrl), { username: who.username });
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
      return refuse(plane, request, attemptOf(request), away('database-away'), { username: who.username });
    const { holder } = who;
    if (holder.overLimit(app.env.credentialRequestsPerMinute, now.getTime())) {
      return refuseThrottled(
        request,
        attemptOf(request),
        tooMany('too-many-requests', 60 - now.getUTCSeconds()),
        asked(holder),
      );
    }
    const { refusal } = holder;
    if (refusal) {
      return refuse(plane, request, attemptOf(request), paymentRequired(refusal.reason, refusal.since, null), {
        ...asked(holder),
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
