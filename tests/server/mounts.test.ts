import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { NextRequest } from 'next/server';
import { expect, onTestFinished, test, vi } from 'vitest';
import { withdrawRelease } from '../../lib/catalog/releases';
import { mountNext } from '../../lib/composer/mount-next';
import { revokeCredential } from '../../lib/credentials/revoke';
import { setClock } from '../../lib/kit/clock';
import { newSecret } from '../../lib/kit/secret';
import { aChild, bareEnvironment } from '../support/child';
import { aComposer } from '../support/composer-client';
import { type Auth, aPlane, authorization } from '../support/composer-plane';
import { freePort } from '../support/free-port';
import { eventually, ROOT } from '../support/running-server';
import { aHolder, aProduct, aRelease, aVendor } from '../support/shop';
import type { TestApp } from '../support/test-app';
import { aWeakLine } from '../support/weak-line';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

// The data plane stands behind the front door and, where there is none, in a Next route: a customer must not notice which.

const CLI = { kind: 'cli' } as const;
const LIMIT_PER_MINUTE = 200;

interface Asked {
  what: string;
  /** So that a case that no longer gives what it is here for is noticed. */
  status: number;
  path: string;
  auth?: Auth;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Told {
  status: number;
  headers: Record<string, string>;
  /** Unzipped, where it came zipped. */
  body: Buffer;
  zipped: boolean;
}

type Mount = (asked: Asked) => Promise<Told>;

/** Every header that we set but those of the transport: Next compresses and counts bytes by itself. */
const OURS = [
  'accept-ranges',
  'allow',
  'cache-control',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'location',
  'retry-after',
  'www-authenticate',
];

function ours(status: number, headers: Headers, body: Buffer): Told {
  const told: Record<string, string> = {};
  for (const name of OURS) {
    const value = headers.get(name);
    if (value !== null) told[name] = value;
  }
  // Next adds names of its own to the same header, as does whatever compresses.
  told.vary = (headers.get('vary') ?? '')
    .split(/, */)
    .filter((name) => name.toLowerCase() === 'authorization')
    .join(', ');
  // What is left of a minute depends on when it is asked.
  if (status === 429) told['retry-after'] = told['retry-after']?.replace(/^\d+$/, 'N') ?? 'none';
  const zipped = headers.get('content-encoding') === 'gzip';
  const plain = zipped && body.length > 0 ? gunzipSync(body) : body;
  const text = plain.toString('latin1');
  return {
    status,
    headers: told,
    body: status === 429 ? Buffer.from(text.replace(/in \d+ s/, 'in N s')) : plain,
    zipped,
  };
}

function overHttp(origin: string): Mount {
  return async ({ path, auth, method = 'GET', headers = {}, body }) =>
    new Promise((resolve, reject) => {
      const asking = request(
        origin + path,
        { method, headers: { ...(auth ? { Authorization: authorization(auth) } : {}), ...headers }, agent: false },
        async (response) => {
          const bytes = await buffer(response);
          const pairs = Object.entries(response.headersDistinct).map(([name, values]) => [
            name,
            values?.join(', ') ?? '',
          ]);
          resolve(ours(response.statusCode ?? 0, new Headers(pairs as [string, string][]), bytes));
        },
      );
      asking.on('error', reject);
      asking.end(body);
    });
}

function throughHandler(handler: ReturnType<typeof mountNext>): Mount {
  return async ({ path, auth, method = 'GET', headers = {}, body }) => {
    const response = await handler(
      new NextRequest(`http://localhost:3000${path}`, {
        method,
        headers: { ...(auth ? { Authorization: authorization(auth) } : {}), ...headers },
        body,
      }),
    );
    return ours(response.status, response.headers, Buffer.from(await response.arrayBuffer()));
  };
}

/** A shop in which every status can be had. Its clock is near the machine's, for processes that have none of ours. */
async function aShop() {
  const line = { url: '' } as Awaited<ReturnType<typeof aWeakLine>>;
  const app = await aVendor({
    clock: setClock(new Date(Date.now() - 120_000)),
    env: { CREDENTIAL_REQUESTS_PER_MINUTE: String(LIMIT_PER_MINUTE) },
  });
  Object.assign(line, await aWeakLine(app.databaseUrl));
  await aProduct(app);
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  const sha1 = new Map<string, string>();
  for (let minor = 0; minor < 12; minor++) {
    sha1.set(`forms 1.${minor}`, (await aRelease(app, 'acme/forms', `1.${minor}.0`)).shasum);
  }
  sha1.set('invoices 2.0', (await aRelease(app, 'acme/invoices', '2.0.0')).shasum);
  await withdrawRelease(app, { package: 'acme/forms', version: '1.1.0', reason: 'it loses data', by: CLI });
  const good = await aHolder(app, 'forms', 'good@example.test');
  const revoked = await aHolder(app, 'forms', 'revoked@example.test');
  const busy = await aHolder(app, 'forms', 'busy@example.test');
  await revokeCredential(app, { credentialId: revoked.credential.id, by: CLI, reason: 'lost' });
  const lost = await app.db.release.findFirstOrThrow({ where: { versionNormalized: '1.2.0.0' } });
  const { archiveSha256: hash } = lost;
  await rm(join(app.dataFolder, 'archives', hash.slice(0, 2), hash.slice(2, 4), `${hash}.zip`));
  app.clock.advance(60_000);
  const dist = (of: string, version = `${of.split(' ')[1]}.0.0`) =>
    `/composer/dist/acme/${of.split(' ')[0]}/${version}/${sha1.get(of)}.zip`;
  return { app, line, dist, good: good.auth, revoked: revoked.auth, busy: busy.auth };
}

type Shop = Awaited<ReturnType<typeof aShop>>;

async function cases({ dist, good: auth, revoked }: Shop, node: Mount): Promise<Asked[]> {
  const seen = async (path: string) =>
    (await node({ what: 'before', status: 200, path, auth })).headers['last-modified'] ?? '';
  const root = '/composer/packages.json';
  const p2 = '/composer/p2/acme/forms.json';
  const zip = dist('forms 1.0');
  const install = JSON.stringify({ downloads: [{ name: 'acme/forms', version: '1.0.0.0' }] });
  const post = (body: string) => ({ auth, method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  const wrong = { username: auth.username, secret: newSecret().reveal() };
  const paths = [root, p2, zip, '/composer/list.json', '/composer/search.json?q=forms', '/composer/nothing'];
  return [
    { what: 'the root', status: 200, path: root, auth },
    { what: 'the root by bearer', status: 200, path: root, auth: { bearer: auth.secret } },
    { what: 'the root again', status: 304, path: root, auth, headers: { 'If-Modified-Since': await seen(root) } },
    { what: 'the head of the root', status: 200, path: root, auth, method: 'HEAD' },
    { what: 'p2', status: 200, path: p2, auth },
    { what: 'p2, zipped', status: 200, path: p2, auth, headers: { 'Accept-Encoding': 'gzip' } },
    { what: 'p2, zipped by no means', status: 200, path: p2, auth, headers: { 'Accept-Encoding': 'gzip;q=0' } },
    { what: 'the head of p2', status: 200, path: p2, auth, method: 'HEAD' },
    { what: 'p2 again', status: 304, path: p2, auth, headers: { 'If-Modified-Since': await seen(p2) } },
    { what: 'p2 of development versions', status: 200, path: '/composer/p2/acme/forms~dev.json', auth },
    { what: 'p2 of what is not covered', status: 200, path: '/composer/p2/acme/invoices.json', auth },
    { what: 'p2 of what is not sold', status: 404, path: '/composer/p2/acme/nothing.json', auth },
    { what: 'p2 of what is no name', status: 404, path: '/composer/p2/Acme.json', auth },
    { what: 'an archive', status: 200, path: zip, auth },
    { what: 'the head of an archive', status: 200, path: zip, auth, method: 'HEAD' },
    { what: 'a part', status: 206, path: zip, auth, headers: { Range: 'bytes=10-19' } },
    { what: 'the end', status: 206, path: zip, auth, headers: { Range: 'bytes=-7' } },
    {
      what: 'a part of another file',
      status: 200,
      path: zip,
      auth,
      headers: { Range: 'bytes=1-2', 'If-Range': '"0"' },
    },
    { what: 'a part beyond', status: 416, path: zip, auth, headers: { Range: 'bytes=99999999-' } },
    { what: 'an archive that is not covered', status: 402, path: dist('invoices 2.0'), auth },
    { what: 'an archive of no version', status: 404, path: dist('forms 1.0', '9.9.9.9'), auth },
    { what: 'an archive withdrawn', status: 410, path: dist('forms 1.1', '1.1.0.0'), auth },
    { what: 'an archive out of reach', status: 503, path: dist('forms 1.2', '1.2.0.0'), auth },
    { what: 'the list', status: 200, path: '/composer/list.json', auth },
    { what: 'the list of others', status: 200, path: '/composer/list.json?filter=other/*', auth },
    { what: 'a search', status: 200, path: '/composer/search.json?q=forms&type=', auth },
    { what: 'an address of nothing', status: 404, path: '/composer/nothing', auth },
    { what: 'a report of installs', status: 200, path: '/composer/downloads', ...post(install) },
    { what: 'an unreadable report', status: 400, path: '/composer/downloads', ...post('not json') },
    { what: 'a report too large', status: 413, path: '/composer/downloads', ...post(' '.repeat(1_048_577)) },
    { what: 'a report by GET', status: 405, path: '/composer/downloads', auth },
    ...['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST'].map((method) => {
      return { what: `${method} of the root`, status: 405, path: root, auth, method };
    }),
    ...paths.flatMap((path) => [
      { what: `${path} by nobody`, status: 401, path },
      { what: `${path} by nobody, head`, status: 401, path, method: 'HEAD' },
      { what: `${path} by one mistyped`, status: 401, path, auth: { ...auth, secret: `${auth.secret}x` } },
      { what: `${path} by one wrong`, status: 401, path, auth: wrong },
      { what: `${path} by one revoked`, status: 402, path, auth: revoked },
    ]),
  ];
}

/** Asks one after the other, since what a mount remembers must not tell them apart either. */
async function compare(asked: Asked[], node: Mount, next: Mount) {
  for (const each of asked) {
    const [one, other] = [await node(each), await next(each)];
    expect(one.status, each.what).toBe(each.status);
    expect(readable(other), each.what).toEqual(readable(one));
    expect(other.body.equals(one.body), `the bytes of ${each.what}`).toBe(true);
  }
}

function readable({ status, headers, body }: Told) {
  return { status, headers, body: body.toString('latin1', 0, 300) };
}

async function exhaust(mount: Mount, asked: Asked, times: number) {
  for (let left = times; left > 0; left -= 20) {
    await Promise.all(Array.from({ length: Math.min(left, 20) }, () => mount(asked)));
  }
}

async function compareRunDry({ busy, good, line }: Shop, node: Mount, next: Mount) {
  const path = '/composer/packages.json';
  const tooOften = { what: 'one more than the limit', status: 429, path, auth: busy };
  for (const mount of [node, next]) await exhaust(mount, tooOften, LIMIT_PER_MINUTE + 1);
  await compare([tooOften], node, next);

  const guessing = { what: 'one more guess', status: 429, path, auth: { ...good, secret: newSecret().reveal() } };
  for (const mount of [node, next]) await exhaust(mount, guessing, 120);
  await compare([guessing], node, next);

  line.cut();
  const stranger = { what: 'the database away', status: 503, path, auth: { bearer: newSecret().reveal() } };
  for (const mount of [node, next]) await eventually(async () => (await mount(stranger)).status === 503);
  await compare([stranger, { ...stranger, path: '/composer/p2/acme/forms.json' }], node, next);
}

test('as a Next route handler the data plane gives the same status, body and headers as behind the front door', async () => {
  const shop = await aShop();
  const plane = await aPlane(shop.app, { gateUrl: shop.line.url });
  const node = overHttp(plane.url);
  const { appUrl } = shop.app.env;
  const next = throughHandler(mountNext(plane.composer, { appUrl, trustedProxies: [] }));
  await compare(await cases(shop, node), node, next);

  const elsewhere = 'https://bucket.example/ab/cd.zip?signature=1';
  const store = shop.app.archive;
  const { signedUrl } = store;
  store.signedUrl = async () => elsewhere;
  await compare(
    [{ what: 'an archive elsewhere', status: 302, path: shop.dist('forms 1.0'), auth: shop.good }],
    node,
    next,
  );
  expect((await node({ what: '', status: 302, path: shop.dist('forms 1.0'), auth: shop.good })).headers.location).toBe(
    elsewhere,
  );
  store.signedUrl = signedUrl;

  await compareRunDry(shop, node, next);
});

test('under a bare `next start`, without our front door, the repository answers the same', async () => {
  const shop = await aShop();
  const plane = await aPlane(shop.app, { gateUrl: shop.line.url });
  const node = overHttp(plane.url);
  const next = overHttp(await nextStart(shop.app, shop.line.url, await freePort()));
  const asked = await cases(shop, node);
  await compare(asked, node, next);
  const large = asked.find(({ what }) => what === 'p2, zipped');
  if (!large) throw new Error('No case asks for a large document zipped.');
  expect([(await node(large)).zipped, (await next(large)).zipped]).toEqual([true, true]);
  await compareRunDry(shop, node, next);
});

test('the real Composer installs from a bare `next start`', async () => {
  const port = await freePort();
  const app = await aVendor({
    clock: setClock(new Date(Date.now() - 120_000)),
    env: { APP_URL: `http://127.0.0.1:${port}` },
  });
  await aProduct(app);
  for (let minor = 0; minor < 12; minor++) await aRelease(app, 'acme/forms', `1.${minor}.0`);
  const { auth } = await aHolder(app);
  const composer = await aComposer({ url: await nextStart(app, app.databaseUrl, port), auth });

  const { exit, output } = await composer.run('require', 'acme/forms');

  expect(`${exit} ${exit ? output : ''}`).toBe('0 ');
  expect(await composer.installed()).toEqual({ 'acme/forms': '1.11.0' });
});

async function nextStart(app: TestApp, databaseUrl: string, port: number): Promise<string> {
  const origin = `http://127.0.0.1:${port}`;
  const key = Buffer.alloc(32, 7).toString('base64');
  const child = aChild(
    process.execPath,
    [join(ROOT, 'node_modules/next/dist/bin/next'), 'start', '-H', '127.0.0.1', '-p', String(port)],
    {
      cwd: ROOT,
      env: {
        ...bareEnvironment(),
        NODE_ENV: 'production',
        NEXT_TELEMETRY_DISABLED: '1',
        LATCHKEY_MODE: 'demo',
        LATCHKEY_DATA: app.dataFolder,
        DATABASE_URL: databaseUrl,
        APP_KEY: key,
        APP_URL: app.env.appUrl,
        CREDENTIAL_REQUESTS_PER_MINUTE: String(LIMIT_PER_MINUTE),
      },
    },
  );
  onTestFinished(async () => {
    child.process.kill('SIGTERM');
    await child.ended;
  });
  await eventually(async () => {
    if (child.process.exitCode !== null) throw new Error(`Next did not start:\n${child.output()}`);
    return fetch(`${origin}/composer/packages.json`).then(
      (answer) => answer.status === 401,
      () => false,
    );
  });
  return origin;
}
