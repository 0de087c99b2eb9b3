import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { type AddressRange, clientIp } from '../http/client-ip';
import { errorMessage } from '../kit/errors';
import type { Log } from '../kit/log';
import { away, refusalBody } from './refusal';
import type { Composer, ComposerAnswer } from './serve';

/** Answers `/composer/*` from a plain Node server: no framework stands between the socket and the gate. */
export function mountNode(
  composer: Composer,
  { appUrl, trusted, log }: { appUrl: string; trusted: readonly AddressRange[]; log: Log },
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const { headers } = request;
    const { path, query } = splitTarget(request.url ?? '/');
    composer.handle(
      {
        method: request.method ?? 'GET',
        path,
        query,
        authorization: headers.authorization,
        ifModifiedSince: headers['if-modified-since'],
        acceptEncoding: headers['accept-encoding'] as string | undefined,
        range: headers.range,
        ifRange: headers['if-range'] as string | undefined,
        userAgent: headers['user-agent'],
        ip: clientIp(request.socket.remoteAddress, headers['x-forwarded-for'] as string | undefined, trusted),
        body: (bytesMax) => readBody(request, bytesMax),
      },
      (answer) => {
        if (answer.archive) void sendArchive(composer, answer, answer.archive, response, appUrl, log);
        else send(answer, response);
      },
    );
  };
}

/** The path as it is on the wire; an absolute-form target (a proxy's) is reduced to its path (RFC 9112, 3.2.2). */
export function splitTarget(target: string): { path: string; query: string } {
  let rest = target;
  if (!rest.startsWith('/')) {
    const slashes = rest.indexOf('://');
    const slash = slashes < 0 ? -1 : rest.indexOf('/', slashes + 3);
    rest = slash < 0 ? '/' : rest.slice(slash);
  }
  const mark = rest.indexOf('?');
  return mark < 0 ? { path: rest, query: '' } : { path: rest.slice(0, mark), query: rest.slice(mark + 1) };
}

/**
 * Whether a path belongs to the data plane, also where dot segments or an encoding hide it: whatever Next would resolve to
 * its own mount must not reach that mount behind a front door, since it knows no socket and takes a client's word for
 * its address.
 */
export function isComposerPath(path: string): boolean {
  if (/^\/composer(\/|$)/.test(path)) return true;
  return /[.\\%]/.test(path) && /^\/+composer(\/|$)/.test(new URL(`http://host${path}`).pathname);
}

function send(answer: ComposerAnswer, response: ServerResponse): void {
  const { headers, body } = answer;
  if (body) headers['Content-Length'] = String(body.length);
  // What is left of a body too large is not read, so nothing can follow it on this connection.
  if (answer.status === 413) headers.Connection = 'close';
  response.writeHead(answer.status, headers);
  response.end(body ?? undefined);
}

async function sendArchive(
  composer: Composer,
  answer: ComposerAnswer,
  { sha256, start, end }: NonNullable<ComposerAnswer['archive']>,
  response: ServerResponse,
  appUrl: string,
  log: Log,
): Promise<void> {
  try {
    const whole = answer.status === 200;
    const stored = await composer.archive.read(sha256, whole ? undefined : { start, end });
    if (!stored) throw new Error('The archive is not in the store.');
    response.writeHead(answer.status, answer.headers);
    pipeline(stored.stream, response, (error) => {
      // A client that hangs up is everyday; a damaged archive breaks the transfer, so that Composer sees no whole file.
      if (error) log.warn('An archive was not sent to its end.', { sha256, error: errorMessage(error) });
    });
  } catch (error) {
    log.error('An archive could not be read.', { sha256, error: errorMessage(error) });
    if (response.headersSent) response.destroy();
    else send(archiveAway(appUrl), response);
  }
}

/** The answer where an admitted archive cannot be read. */
export function archiveAway(appUrl: string): ComposerAnswer {
  const refusal = away('archive-away');
  return {
    status: refusal.status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...refusal.headers },
    body: refusalBody(appUrl, refusal),
    events: [],
  };
}

function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        // The rest is not read; the connection is closed behind the answer.
        request.pause();
        request.removeAllListeners('data');
        resolve(null);
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
