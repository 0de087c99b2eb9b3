import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ResendStandIn {
  url: string;
  requests: { key: string | undefined; authorization: string | undefined; body: Record<string, unknown> }[];
  /** Mails that a mailbox would show: one per idempotency key. */
  delivered: Map<string, Record<string, unknown>>;
  /** Answers the next request so instead. */
  failNext(statusCode: number, name: string, message: string): void;
  close(): Promise<void>;
}

/** `POST /emails` as Resend documents it: idempotency keys, and errors as `{statusCode, name, message}`. */
export async function aResendServer(): Promise<ResendStandIn> {
  const requests: ResendStandIn['requests'] = [];
  const delivered: ResendStandIn['delivered'] = new Map();
  const failures: { statusCode: number; name: string; message: string }[] = [];
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method !== 'POST' || request.url !== '/emails') return answer(404, { name: 'not_found' });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const key = request.headers['idempotency-key'] as string | undefined;
    requests.push({ key, authorization: request.headers.authorization, body });
    const failure = failures.shift();
    if (failure) return answer(failure.statusCode, failure);
    const before = key === undefined ? undefined : delivered.get(key);
    if (before && JSON.stringify(before) !== JSON.stringify(body)) {
      const message = 'Same idempotency key used with a different request payload.';
      return answer(409, { statusCode: 409, name: 'invalid_idempotent_request', message });
    }
    delivered.set(key ?? `none-${requests.length}`, body);
    return answer(200, { id: `re_${key}` });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    delivered,
    failNext: (statusCode, name, message) => failures.push({ statusCode, name, message }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
