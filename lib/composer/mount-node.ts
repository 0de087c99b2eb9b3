import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { type AddressRange, clientIp } from '../http/client-ip';
import { errorMessage } from '../kit/errors';
import type { Log } from '../kit/log';
import { type ComposerAnswer, refusalAnswer } from './answer';
import { away } from './refusal';
import type { ComposerRequest } from './request';
import type { Composer } from './serve';

/** Answers `/composer/*` from a plain Node server: no framework stands between the socket and the gate. */
export function mountNode(
  composer: Composer,
  { appUrl, trusted, log }: { appUrl: string; trusted: readonly AddressRange[]; log: Log },
): (request: IncomingMessage, response: ServerResponse) => void {
  const addresses = new WeakMap<Socket, string | null>();
  /** A socket's peer stays who it is; asking and reading it each time is a twentieth of a warm request. */
  const socketAddress = ({ socket }: IncomingMessage): string | null => {
    let address = addresses.get(socket);
    if (address === undefined) {
      address = clientIp(socket.remoteAddress, undefined, trusted);
      addresses.set(socket, address);
    }
    return address;
  };
  const addressOf = (request: IncomingMessage): string | null => {
    const forwardedFor = trusted.length > 0 && (request.headers['x-forwarded-for'] as string | undefined);
    return forwardedFor ? clientIp(request.socket.remoteAddress, forwardedFor, trusted) : socketAddress(request);
  };
  return (request, response) => {
    composer.handle(new NodeRequest(request, addressOf(request)), (answer) => {
      if (answer.archive) void sendArchive(composer, answer, answer.archive, response, appUrl, log);
      else send(answer, response);
    });
  };
}

/** A class, so that all requests have one shape and none carries a closure. */
class NodeRequest implements ComposerRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authorization: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly acceptEncoding: string | undefined;
  readonly userAgent: string | undefined;
  readonly ip: string | null;
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage, ip: string | null) {
    const { headers } = request;
    const { path, query } = splitTarget(request.url ?? '/');
    this.method = request.method ?? 'GET';
    this.path = path;
    this.query = query;
    this.authorization = headers.authorization;
    this.ifModifiedSince = headers['if-modified-since'];
    this.acceptEncoding = headers['accept-encoding'] as string | undefined;
    this.userAgent = headers['user-agent'];
    this.ip = ip;
    this.#request = request;
  }

  get range(): string | undefined {
    return this.#request.headers.range;
  }

  get ifRange(): string | undefined {
    return this.#request.headers['if-range'] as string | undefined;
  }

  body(bytesMax: number): Promise<Buffer | null> {
    return readBody(this.#request, bytesMax);
  }
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

function send({ status, headers, body }: ComposerAnswer, response: ServerResponse): void {
  // What is left of a body too large is not read, so nothing can follow it on this connection.
  response.writeHead(status, status === 413 ? { ...headers, Connection: 'close' } : headers);
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
  return refusalAnswer(appUrl, away('archive-away'), []);
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
