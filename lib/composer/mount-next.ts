import { Readable } from 'node:stream';
import type { NextRequest } from 'next/server';
import { clientIp, parseRanges } from '../http/client-ip';
import type { ComposerAnswer } from './answer';
import { archiveAway, splitTarget } from './mount-node';
import type { Composer } from './serve';

/**
 * The same data plane as a Next route handler, for where there is no custom server. Next gives no socket, so the client's
 * address is what the platform's proxy says, and only where TRUSTED_PROXIES names that proxy.
 */
export function mountNext(
  composer: Composer,
  { appUrl, trustedProxies }: { appUrl: string; trustedProxies: readonly string[] },
): (request: NextRequest) => Promise<Response> {
  const trusted = parseRanges(trustedProxies);
  return (request) =>
    new Promise((resolve) => {
      const header = (name: string) => request.headers.get(name) ?? undefined;
      const { path, query } = splitTarget(rawTarget(request));
      // Without a socket the nearest proxy is taken at the operator's word: TRUSTED_PROXIES says that there is one.
      const proxy = trustedProxies[0]?.replace(/\/.*$/, '');
      composer.handle(
        {
          method: request.method,
          path,
          query,
          authorization: header('authorization'),
          ifModifiedSince: header('if-modified-since'),
          // Next drops a handler's Content-Encoding and Content-Length, and compresses by itself: bytes that we had
          // zipped would reach Composer zipped twice.
          acceptEncoding: undefined,
          range: header('range'),
          ifRange: header('if-range'),
          userAgent: header('user-agent'),
          ip: clientIp(proxy, header('x-forwarded-for'), trusted),
          body: (bytesMax) => readBody(request, bytesMax),
        },
        (answer) => {
          resolve(respond(composer, answer, appUrl));
        },
      );
    });
}

/** Next rewrites `request.url` to canonical form; the path is what the data plane matches. */
function rawTarget(request: NextRequest): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}

async function respond(composer: Composer, answer: ComposerAnswer, appUrl: string): Promise<Response> {
  const { archive } = answer;
  if (archive) {
    const stored = await composer.archive.read(archive.sha256, answer.status === 200 ? undefined : archive);
    if (!stored) return respond(composer, archiveAway(appUrl), appUrl);
    return new Response(Readable.toWeb(stored.stream) as ReadableStream, {
      status: answer.status,
      headers: answer.headers,
    });
  }
  return new Response(answer.body ? new Uint8Array(answer.body) : null, {
    status: answer.status,
    headers: answer.headers,
  });
}

async function readBody(request: NextRequest, bytesMax: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body?.getReader();
  if (!reader) return Buffer.alloc(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    bytes += value.length;
    if (bytes > bytesMax) {
      await reader.cancel();
      return null;
    }
    chunks.push(value);
  }
}
