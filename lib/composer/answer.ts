import type { GateEvent, PreparedEvent } from '../ports/journal';
import type { JsonDocument } from './documents';
import { type Refusal, refusalBody } from './refusal';

export interface ComposerAnswer {
  status: number;
  /** Complete, Content-Length included. Answers are shared between requests, so nobody may write into it. */
  headers: Readonly<Record<string, string>>;
  body: Buffer | null;
  /** Instead of a body: bytes `start` to `end` (inclusive) of a stored archive. */
  archive?: { sha256: string; start: number; end: number };
  /** What stands in the audit log before this leaves. */
  events: readonly (GateEvent | PreparedEvent)[];
}

/** Private, since every document is made for one credential; asked again each time, since it may have ended. */
export const CACHE_DOCUMENT = 'private, no-cache';
const VARY = 'Authorization, Accept-Encoding';

/** A body with its headers; the length is among them, so that HEAD tells it too. */
export function answerOf(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  events: ComposerAnswer['events'],
): ComposerAnswer {
  return { status, headers: { ...headers, 'Content-Length': String(body.length) }, body, events };
}

/** A refusal as Composer shows it; `events` is empty where it is counted, or cannot be written. */
export function refusalAnswer(appUrl: string, refusal: Refusal, events: ComposerAnswer['events']): ComposerAnswer {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...refusal.headers };
  return answerOf(refusal.status, headers, refusalBody(appUrl, refusal), events);
}

/** 200 with a document, as gzip where the client reads that. `headers` goes over the usual ones. */
export function documentAnswer(
  document: JsonDocument,
  asGzip: boolean,
  headers: Readonly<Record<string, string>>,
  events: ComposerAnswer['events'],
): ComposerAnswer {
  const usual = { 'Content-Type': 'application/json', 'Cache-Control': CACHE_DOCUMENT, Vary: VARY };
  if (!asGzip || !document.gzip) return answerOf(200, { ...usual, ...headers }, document.json, events);
  return answerOf(200, { ...usual, 'Content-Encoding': 'gzip', ...headers }, document.gzip, events);
}

export function notModified(lastModified: string, events: ComposerAnswer['events']): ComposerAnswer {
  return {
    status: 304,
    headers: { 'Cache-Control': CACHE_DOCUMENT, Vary: VARY, 'Last-Modified': lastModified },
    body: null,
    events,
  };
}

/**
 * Every answer to one client's GET of one document that has settled (freshness.ts), its audit event included. Making them
 * anew was a third of what a warm request cost beyond Node itself.
 */
export interface SettledDocument {
  /** Who asks, as the event says it. */
  ip: string | null;
  userAgent: string | undefined;
  lastModified: string;
  plain: ComposerAnswer;
  gzip: ComposerAnswer;
  unchanged: ComposerAnswer;
}

export function settledDocument(
  client: Pick<SettledDocument, 'ip' | 'userAgent'>,
  document: JsonDocument,
  lastModified: string,
  event: PreparedEvent,
): SettledDocument {
  const events = [event];
  const headers = { 'Last-Modified': lastModified };
  return {
    ip: client.ip,
    userAgent: client.userAgent,
    lastModified,
    plain: documentAnswer(document, false, headers, events),
    gzip: documentAnswer(document, true, headers, events),
    unchanged: notModified(lastModified, events),
  };
}

/** Whether gzip is among what the client reads; `gzip;q=0` says that it is not. */
export function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && /(?:^|[\s,])(?:gzip|\*)(?!\s*;\s*q=0(?:\.0*)?(?:\s|,|$))/i.test(header);
}
