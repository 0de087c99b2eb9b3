import { shortVersion } from '../catalog/versions';
import type { Clock } from '../kit/clock';
import type { ArchiveStore } from '../ports/archive';
import type { GateEvent, Journal } from '../ports/journal';
import { acceptsGzip, type ComposerAnswer, documentAnswer, refusalAnswer } from './answer';
import type { JsonDocument, Shelf } from './documents';
import type { Holder } from './gate';
import type { Refusal } from './refusal';

/** What an answer is made from, beside the request and who asks. */
export interface Plane {
  appUrl: string;
  clock: Clock;
  shelf: Shelf;
  journal: Journal;
  archive: ArchiveStore;
}

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

/** What a request was after, for the audit log. */
export interface Attempt {
  action: GateEvent['action'];
  package: string | null;
  version: string | null;
}

/** As far as the path alone tells. */
export function attemptOf({ path }: ComposerRequest): Attempt {
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

/** Admitted, unless `facts` say otherwise. */
export function eventOf(request: ComposerRequest, attempt: Attempt, facts: Partial<GateEvent>): GateEvent {
  return {
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
  };
}

/** Who asked, as an event says it. */
export function asked(holder: Holder): Partial<GateEvent> {
  return {
    username: holder.record.username,
    credentialId: holder.record.id,
    customerId: holder.record.customerId,
  };
}

export function refuse(
  plane: Pick<Plane, 'appUrl'>,
  request: ComposerRequest,
  attempt: Attempt,
  refusal: Refusal,
  facts: Partial<GateEvent>,
): ComposerAnswer {
  const event = eventOf(request, attempt, { verdict: 'refused', reason: refusal.reason, ...facts });
  return refusalAnswer(plane.appUrl, refusal, [event]);
}

export function json(
  request: ComposerRequest,
  document: JsonDocument,
  headers: Record<string, string>,
  events: GateEvent[],
): ComposerAnswer {
  return documentAnswer(document, acceptsGzip(request.acceptEncoding), headers, events);
}

/** One part of a path; null where its percent-encoding is broken, since that names nothing. */
export function decoded(part: string): string | null {
  try {
    return part.includes('%') ? decodeURIComponent(part) : part;
  } catch {
    // Thrown for nothing but broken encoding.
    return null;
  }
}
