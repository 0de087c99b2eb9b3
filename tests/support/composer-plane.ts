import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openJournal } from '../../lib/audit/journal';
import { startShipper } from '../../lib/audit/shipper';
import { mountNode } from '../../lib/composer/mount-node';
import { type Composer, openComposer } from '../../lib/composer/serve';
import { openGatePool } from '../../lib/db/client';
import { parseRanges } from '../../lib/http/client-ip';
import type { TestApp } from './test-app';

/** The data plane of a TestApp behind a real HTTP server on the loopback. */
export interface Plane {
  url: string;
  composer: Composer;
  /** A request with whatever headers, as Composer would send it. Redirects are not followed. */
  get(
    path: string,
    options?: { auth?: Auth; headers?: Record<string, string>; method?: string; body?: string },
  ): Promise<Answer>;
  /** How often a credential was read from the database so far. */
  reads(): number;
  /** Every request so far, oldest first, with the status it got. */
  requests: Asked[];
  /** Every gate event so far, oldest first, once it is in the table. */
  events(): Promise<Event[]>;
}

export type Auth = { username: string; secret: string } | { bearer: string } | { raw: string } | null;

export interface Asked {
  method: string;
  path: string;
  authorization: string | undefined;
  ifModifiedSince: string | undefined;
  status: number;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
  bytes: Buffer;
}

interface Event {
  action: string;
  verdict: string | null;
  reason: string | null;
  username: string | null;
  credentialId: string | null;
  licenseId: string | null;
  package: string | null;
  version: string | null;
  ip: string | null;
  userAgent: string | null;
}

/** @param options.port where APP_URL says that it listens, where a test follows the links in its documents; else any */
export async function aPlane(
  app: TestApp,
  {
    trustedProxies = [],
    gateUrl = app.databaseUrl,
    port = 0,
  }: { trustedProxies?: string[]; gateUrl?: string; port?: number } = {},
): Promise<Plane> {
  const journal = openJournal({
    folder: join(app.dataFolder, 'journal'),
    nodeName: 'test',
    clock: app.clock,
    log: app.log,
  });
  const shipper = startShipper({ pool: app.pool, keys: app.keys, log: app.log, journal });
  const gatePool = openGatePool(gateUrl, 4);
  let reads = 0;
  const query = gatePool.query.bind(gatePool) as (...args: unknown[]) => unknown;
  gatePool.query = ((statement: { name?: string }, ...rest: unknown[]) => {
    if (statement.name?.startsWith('credential-by-')) reads += 1;
    return query(statement, ...rest);
  }) as typeof gatePool.query;
  const composer = openComposer(app, journal, [gatePool]);
  const answer = mountNode(composer, {
    appUrl: app.env.appUrl,
    trusted: parseRanges(trustedProxies),
    log: app.log,
  });
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    response.once('finish', () =>
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization,
        ifModifiedSince: request.headers['if-modified-since'],
        status: response.statusCode,
      }),
    );
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    composer.stop();
    await shipper.stop();
    await journal.close();
    await gatePool.end();
  });
  return {
    url,
    composer,
    async get(path, { auth = null, headers = {}, method = 'GET', body } = {}) {
      const response = await fetch(url + path, {
        method,
        body,
        redirect: 'manual',
        headers: { ...(auth ? { Authorization: authorization(auth) } : {}), ...headers },
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const text = bytes.toString('utf8');
      return { status: response.status, headers: response.headers, bytes, text, json: parsed(text) };
    },
    reads: () => reads,
    requests,
    async events() {
      await shipper.drain();
      return app.db.auditEvent.findMany({
        where: { verdict: { not: null } },
        orderBy: [{ at: 'asc' }, { id: 'asc' }],
        select: {
          action: true,
          verdict: true,
          reason: true,
          username: true,
          credentialId: true,
          licenseId: true,
          package: true,
          version: true,
          ip: true,
          userAgent: true,
        },
      });
    },
  };
}

export function authorization(auth: NonNullable<Auth>): string {
  if ('raw' in auth) return auth.raw;
  if ('bearer' in auth) return `Bearer ${auth.bearer}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.secret}`).toString('base64')}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
