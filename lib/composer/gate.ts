import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { secretLookup } from '../credentials/issue';
import {
  type CredentialRecord,
  credentialsChangedSince,
  fillInDigest,
  lookupBySecret,
  lookupByUsername,
} from '../credentials/lookup';
import { neighbourhood } from '../http/client-ip';
import { MINUTE } from '../kit/clock';
import { errorMessage } from '../kit/errors';
import { keyedDigest, keyNamed, sameBytes } from '../kit/seal';
import type { Secret } from '../kit/secret';
import type { Needs } from '../ports/app';
import type { SettledDocument } from './answer';
import { type Presented, readAuthorization } from './authorization';
import type { Reach } from './reach';
import {
  type CredentialRefusal,
  credentialRefusal,
  nextBoundary,
  type PackageVerdict,
  packageVerdict,
} from './verdict';

/** Facts are this fresh while the database answers. */
const FRESH_MS = 1_000;
/** Whoever was admitted this lately on this node is admitted while the database is away. */
const OUTAGE_MS = 60 * MINUTE;
const REMEMBERED_MAX = 50_000;
/** Unknown usernames are remembered apart, so that guessing pushes no customer out. */
const STRANGERS_MAX = 5_000;
export const WRONG_PER_MINUTE = 120;
/** Slow hashes that one address may cost us per minute with secrets that turn out wrong. */
const SLOW_CHECKS_PER_MINUTE = 20;
/** The change feed looks this far back: longer than any transaction of ours may stay open. */
const FEED_OVERLAP_MS = 35_000;

type Identified =
  | { kind: 'known'; holder: Holder }
  | { kind: 'nobody'; reason: 'no-credential' | 'malformed-credential' | 'wrong-credential'; username: string | null }
  | { kind: 'away'; username: string | null };

/** How a row is found again: by username, or by the first bytes of the secret's hash. */
interface Key {
  username: string | null;
  lookup: Buffer | null;
  text: string;
  /** Of the presented secret, under the current key. */
  digest: Buffer;
}

interface Remembered {
  key: Key;
  record: CredentialRecord | null;
  /** Of `performance.now()`: no change of the machine's clock makes old facts fresh. */
  readAtMs: number;
  /** The same instant by `app.clock`. */
  confirmedAtMs: number;
  commitsSeen: number;
  /** When facts that let it in were read, by `app.clock`; 0: never. */
  admittedAtMs: number;
  /** The key whose secret was found to be the record's, so that a warm request need not compare again. */
  proven: Key | null;
  /** What was worked out from these facts last. */
  holder: Holder | null;
}

/**
 * A credential whose secret was right, with what was worked out from its facts: for one reading of them, one address
 * where it is bound to addresses, and up to the next instant at which a verdict changes by itself. A class, and kept
 * between requests: its closures were a tenth of a warm request.
 */
export class Holder {
  /** Null where it works here and now. */
  readonly refusal: CredentialRefusal | null;
  /** Answers that hold as long as this does, by what was asked for. */
  readonly settled = new Map<string, SettledDocument>();
  readonly #verdicts = new Map<string, PackageVerdict>();
  readonly #fromMs: number;
  readonly #untilMs: number;

  constructor(
    readonly record: CredentialRecord,
    private readonly entry: Remembered,
    private readonly window: Window,
    private readonly ip: string | null,
    private readonly at: Date,
  ) {
    this.refusal = credentialRefusal(record, ip, at);
    this.#fromMs = at.getTime();
    this.#untilMs = nextBoundary(record, at);
  }

  holds(ip: string | null, nowMs: number): boolean {
    if (this.ip !== ip && this.record.addressList.length > 0) return false;
    return nowMs === this.#fromMs || (nowMs > this.#fromMs && nowMs < this.#untilMs);
  }

  verdict(name: string): PackageVerdict {
    let verdict = this.#verdicts.get(name);
    if (!verdict) {
      verdict = packageVerdict(this.record, name, this.at);
      // Names come from outside; only those that mean something here are kept.
      if (verdict.kind !== 'not-covered') this.#verdicts.set(name, verdict);
    }
    return verdict;
  }

  /** Remembers that it was let in: the ground for the outage rule. */
  admitted(): void {
    // When the facts were read, not now: else an outage would prolong itself from request to request.
    this.entry.admittedAtMs = this.entry.confirmedAtMs;
  }

  /** True when it made more requests this minute than `perMinute` (0: no limit); counts this one. */
  overLimit(perMinute: number, nowMs: number): boolean {
    if (perMinute === 0) return false;
    const minute = Math.floor(nowMs / MINUTE);
    const { window } = this;
    if (window.minute !== minute) {
      window.minute = minute;
      window.count = 0;
    }
    window.count += 1;
    return window.count > perMinute;
  }
}

/** Requests of one credential in one minute. */
interface Window {
  minute: number;
  count: number;
}

export interface Gate {
  /** Who presents this header; a plain value when it is known and fresh, so that a warm request never waits. */
  identify(authorization: string | undefined, ip: string | null, now: Date): Identified | Promise<Identified>;
  /** Seconds to wait, or 0, for an address that just presented something wrong. Counts it. */
  wrongFrom(ip: string | null): Promise<number>;
  readonly remembered: number;
  stop(): void;
}

type World = Needs<'clock' | 'log' | 'keys' | 'passwords' | 'env' | 'commits' | 'pool'>;

/**
 * Decides who a request comes from: one indexed read, fresh for a second, one at a time per credential however many
 * requests wait for it. Every secret is checked against the facts just read, so a changed one never rides on an old check.
 */
export function openGate(app: World, reach: Reach): Gate {
  const known = new LRUCache<string, Remembered>({ max: REMEMBERED_MAX });
  const strangers = new LRUCache<string, Remembered>({ max: STRANGERS_MAX });
  const reading = new Map<string, Promise<Remembered | null>>();
  const headers = new LRUCache<string, Key>({ max: REMEMBERED_MAX });
  const windows = new LRUCache<string, Window>({ max: REMEMBERED_MAX });
  const wrong = new RateLimiterMemory({ points: WRONG_PER_MINUTE, duration: 60 });
  const slowChecks = new RateLimiterMemory({ points: SLOW_CHECKS_PER_MINUTE, duration: 60 });

  const isFresh = (entry: Remembered, nowMs: number) =>
    performance.now() - entry.readAtMs < FRESH_MS &&
    Math.abs(nowMs - entry.confirmedAtMs) < FRESH_MS &&
    entry.commitsSeen === app.commits.count;

  const remember = (key: Key, record: CredentialRecord | null, before: Remembered | undefined, commitsSeen: number) => {
    const entry: Remembered = {
      key,
      record,
      readAtMs: performance.now(),
      confirmedAtMs: app.clock.now().getTime(),
      commitsSeen,
      admittedAtMs: before?.record && record && before.record.id === record.id ? before.admittedAtMs : 0,
      proven: null,
      holder: null,
    };
    if (record) {
      strangers.delete(key.text);
      known.set(key.text, entry);
    } else {
      known.delete(key.text);
      strangers.set(key.text, entry);
    }
    return entry;
  };

  /** Null where the database is away. */
  const readFacts = async (key: Key): Promise<Remembered | null> => {
    // Counted before the read: a commit that lands meanwhile makes the answer stale, not fresh.
    const commitsSeen = app.commits.count;
    try {
      const record = await reach.read(async (pool) => {
        if (key.username !== null) return lookupByUsername(pool, key.username);
        const candidates = key.lookup ? await lookupBySecret(pool, key.lookup) : [];
        // Six bytes of hash hardly ever meet twice; where they do, the digest tells the rows apart.
        return (
          candidates.find((each) => each.secretDigest && sameBytes(each.secretDigest, key.digest)) ??
          candidates[0] ??
          null
        );
      });
      return remember(key, record, known.peek(key.text), commitsSeen);
    } catch (error) {
      if ((error as { code?: string }).code !== 'database-away') throw error;
      return null;
    }
  };

  /** One read per credential at a time; a reader that came before the last commit is not waited for. */
  const facts = (key: Key): Promise<Remembered | null> => {
    const flight = `${app.commits.count} ${key.text}`;
    const underway = reading.get(flight);
    if (underway) return underway;
    const started = readFacts(key).finally(() => reading.delete(flight));
    reading.set(flight, started);
    return started;
  };

  const keyOf = (presented: Presented & { kind: 'ours' | 'foreign' }): Key => {
    const digest = keyedDigest(app.keys.current.digest, presented.secret.reveal());
    if (presented.username !== null)
      return { username: presented.username, lookup: null, digest, text: `u ${presented.username}` };
    const lookup = secretLookup(presented.secret);
    // The digest belongs to the name: two secrets that share six bytes must not share an entry.
    return { username: null, lookup, digest, text: `s ${lookup.toString('hex')} ${digest.toString('base64')}` };
  };

  /** Whether the secret is the record's; the slow hash only where no digest of a key we still hold can tell. */
  const proves = async (record: CredentialRecord, key: Key, secret: Secret, ip: string | null): Promise<boolean> => {
    const ring = record.digestKeyId ? keyNamed(app.keys, record.digestKeyId) : null;
    if (record.secretDigest && ring) {
      const matches = sameBytes(record.secretDigest, keyedDigest(ring.digest, secret.reveal()));
      if (matches && ring.id !== app.keys.current.id) await keepDigest(record, key);
      return matches;
    }
    const place = ip ? neighbourhood(ip) : 'unknown';
    const budget = await slowChecks.get(place);
    if (budget && budget.remainingPoints <= 0) return false;
    if (await app.passwords.matches(secret, record.secretHash)) {
      await keepDigest(record, key);
      return true;
    }
    await slowChecks.penalty(place);
    return false;
  };

  const keepDigest = async (record: CredentialRecord, key: Key) => {
    record.secretDigest = key.digest;
    record.digestKeyId = app.keys.current.id;
    try {
      await fillInDigest(app.pool, record.id, key.digest, app.keys.current.id);
    } catch (error) {
      app.log.warn("Could not keep a credential's digest; the slow hash will be asked again.", {
        credentialId: record.id,
        error: errorMessage(error),
      });
    }
  };

  const holderOf = (entry: Remembered, record: CredentialRecord, ip: string | null, now: Date): Holder => {
    if (entry.holder?.holds(ip, now.getTime())) return entry.holder;
    let window = windows.get(record.id);
    if (!window) {
      window = { minute: 0, count: 0 };
      windows.set(record.id, window);
    }
    entry.holder = new Holder(record, entry, window, ip, now);
    return entry.holder;
  };

  const digestFits = (record: CredentialRecord, key: Key) =>
    record.digestKeyId === app.keys.current.id &&
    record.secretDigest !== null &&
    sameBytes(record.secretDigest, key.digest);

  const identifySlowly = async (headerHash: string, presented: Presented, ip: string | null): Promise<Identified> => {
    if (presented.kind === 'nothing') return { kind: 'nobody', reason: 'no-credential', username: null };
    if (presented.kind === 'malformed')
      return { kind: 'nobody', reason: 'malformed-credential', username: presented.username };
    const key = keyOf(presented);
    const { username } = presented;
    const cached = known.get(key.text) ?? strangers.get(key.text);
    const entry = cached && isFresh(cached, app.clock.now().getTime()) ? cached : await facts(key);
    if (!entry) return identifyDuringOutage(key, presented, ip);
    const { record } = entry;
    if (!record || (presented.kind === 'foreign' && !record.imported)) {
      return { kind: 'nobody', reason: 'wrong-credential', username };
    }
    if (!digestFits(record, key) && !(await proves(record, key, presented.secret, ip))) {
      return { kind: 'nobody', reason: 'wrong-credential', username };
    }
    headers.set(headerHash, key);
    entry.proven = key;
    return { kind: 'known', holder: holderOf(entry, record, ip, app.clock.now()) };
  };

  /** Only who was admitted lately on this node, with the same secret; the change feed has taken out who was stopped since. */
  const identifyDuringOutage = (
    key: Key,
    presented: Presented & { kind: 'ours' | 'foreign' },
    ip: string | null,
  ): Identified => {
    const entry = known.get(key.text);
    const lately = app.clock.now().getTime() - OUTAGE_MS;
    if (!entry?.record || entry.admittedAtMs < lately || !digestFits(entry.record, key)) {
      return { kind: 'away', username: presented.username };
    }
    return { kind: 'known', holder: holderOf(entry, entry.record, ip, app.clock.now()) };
  };

  let feedFrom = app.clock.now();
  let feeding = false;
  const feed = async () => {
    if (feeding || reach.state !== 'up') return;
    feeding = true;
    const asked = app.clock.now();
    try {
      const changed = await reach.read((pool) => credentialsChangedSince(pool, feedFrom));
      feedFrom = new Date(asked.getTime() - FEED_OVERLAP_MS);
      if (changed.size === 0) return;
      // What is remembered from before the change is read again now: tomorrow's outage must not admit from it.
      const outdated = [...known.values()].filter(
        ({ record }) => record && (changed.get(record.id)?.getTime() ?? 0) > lastChange(record),
      );
      await Promise.all(outdated.map((entry) => facts(entry.key)));
    } catch (error) {
      app.log.debug('The change feed waits for the database.', { error: errorMessage(error) });
    } finally {
      feeding = false;
    }
  };
  const feedTimer = setInterval(() => void feed(), FRESH_MS);
  feedTimer.unref();

  return {
    identify(authorization, ip, now) {
      if (!authorization) return { kind: 'nobody', reason: 'no-credential', username: null };
      // A hash, since the header itself is a secret that would stay in memory.
      const headerHash = hash('sha256', authorization, 'base64');
      const key = headers.get(headerHash);
      if (key) {
        const entry = known.get(key.text);
        if (entry?.record && isFresh(entry, now.getTime())) {
          if (entry.proven !== key && digestFits(entry.record, key)) entry.proven = key;
          if (entry.proven === key) return { kind: 'known', holder: holderOf(entry, entry.record, ip, now) };
        }
      }
      return identifySlowly(headerHash, readAuthorization(authorization), ip);
    },
    async wrongFrom(ip) {
      const place = ip ? neighbourhood(ip) : 'unknown';
      try {
        await wrong.consume(place);
        return 0;
      } catch (refused) {
        const waitMs = (refused as { msBeforeNext?: number }).msBeforeNext;
        if (waitMs === undefined) throw refused;
        return Math.max(1, Math.ceil(waitMs / 1_000));
      }
    },
    get remembered() {
      return known.size;
    },
    stop: () => clearInterval(feedTimer),
  };
}

function lastChange(record: CredentialRecord): number {
  return Math.max(record.changedAt.getTime(), ...record.licenses.map((license) => license.changedAt.getTime()));
}
