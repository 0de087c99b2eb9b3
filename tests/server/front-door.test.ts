import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { signNotice } from '../../lib/adapters/stripe-notice';
import { Secret } from '../../lib/kit/secret';
import type { Environment } from '../support/child';
import { authorization } from '../support/composer-plane';
import { freePort } from '../support/free-port';
import { anInstallation, eventually, type Installation, type RunningServer } from '../support/running-server';
import { aWeakLine } from '../support/weak-line';
import { aZip } from '../support/zips';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

interface Holder {
  auth: { username: string; secret: string };
  license: { id: string };
  credential: { id: string };
}

let shop: Installation;
let server: RunningServer;
let holder: Holder;

beforeAll(async () => {
  shop = await anInstallation();
  server = await shop.start();
  holder = await sells(shop);
});

afterAll(() => shop?.remove());

async function sells(where: Installation): Promise<Holder> {
  await where.told('package', 'publish', await aZip());
  await where.told('product', 'create', '--slug', 'forms', '--name', 'Forms', '--package', 'acme/forms');
  const issued = await where.told<{
    license: { id: string };
    credential: { id: string; username: string; secret: string };
  }>('license', 'issue', '--customer', 'anna@shop.example', '--product', 'forms', '--no-mail');
  const { license, credential } = issued;
  return { license, credential, auth: { username: credential.username, secret: credential.secret } };
}

function asked(where: Installation, path: string, auth = holder.auth) {
  return fetch(where.url + path, { headers: { Authorization: authorization(auth) } });
}

interface Event {
  action: string;
  package: string | null;
  verdict: string;
  licenseId: string | null;
  node: string;
}

async function events(where: Installation, ...filter: string[]): Promise<Event[]> {
  return (await where.told<{ events: Event[] }>('audit', 'search', '--limit', '500', ...filter)).events;
}

/** Ends at once, refused: one sentence on stderr, nothing else said, exit 1. */
async function refused(where: Installation, env: Environment, sentence: RegExp) {
  const { exit, stdout, stderr } = await where.launch(env).ended;
  expect(stderr.trim().split('\n'), 'one sentence').toHaveLength(1);
  expect(stderr).toMatch(sentence);
  expect(stderr.trim()).toMatch(/\.$/);
  expect([stdout, exit]).toEqual(['', 1]);
}

test('/healthz says that it is alive, /readyz what it can do', async () => {
  const alive = await fetch(`${shop.url}/healthz`);
  expect([alive.status, await alive.json()]).toEqual([200, { alive: true }]);
  const ready = await fetch(`${shop.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, { database: 'up', mode: 'normal' }]);
});

test('what is no request is answered 400, headers that are too large 431, both in a way that Composer prints', async () => {
  for (const [request, status] of [
    ['NONSENSE\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    [
      `GET /composer/packages.json HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      'HTTP/1.1 431 Request',
    ],
  ] as const) {
    const socket = connect(Number(shop.env.PORT), '127.0.0.1');
    socket.write(request);
    const answer = (await buffer(socket)).toString();
    expect(answer).toContain(status);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^Content-Type: application\/json$/im);
    expect(JSON.parse(body)).toEqual({ warning: expect.stringMatching(/\.$/) });
  }
  expect((await asked(shop, '/composer/packages.json')).status).toBe(200);
});

test('a second server on the same data folder is refused with a sentence, and the first serves on', async () => {
  await refused(
    shop,
    { PORT: '0', NODE_NAME: 'second' },
    new RegExp(`process ${server.pid}\\) already works on ${shop.dataFolder}`),
  );
  expect((await asked(shop, '/composer/packages.json')).status).toBe(200);
  expect(existsSync(join(shop.dataFolder, 'runtime.json'))).toBe(true);
});

test('a port that is taken gives one sentence before anything was started', async () => {
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  const { port } = busy.address() as AddressInfo;
  const other = await anInstallation({ embedded: true });
  onTestFinished(async () => {
    busy.close();
    await other.remove();
  });
  for (const role of [{}, { LATCHKEY_ROLE: 'gate', GATE_WORKERS: '2' }]) {
    await refused(
      other,
      { PORT: String(port), ...role },
      new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is already taken`),
    );
  }
  expect((await readdir(other.dataFolder)).filter((name) => name !== 'server.lock')).toEqual([]);
});

test.each<[string, Environment, RegExp]>([
  ['a port that is no number', { PORT: 'abc' }, /PORT/],
  ['a key that is too short', { APP_KEY: 'abc' }, /APP_KEY must be 32 bytes/],
  ['production without a database', { LATCHKEY_MODE: 'production', DATABASE_URL: undefined }, /needs DATABASE_URL/],
  ['production without a key', { LATCHKEY_MODE: 'production' }, /needs APP_KEY/],
  ['a Stripe key without a webhook secret', { STRIPE_SECRET_KEY: 'sk_test_1' }, /STRIPE_WEBHOOK_SECRET/],
  [
    'the pretend checkout in production',
    { LATCHKEY_MODE: 'production', APP_KEY: randomBytes(32).toString('base64') },
    /needs STRIPE_SECRET_KEY; the pretend checkout/,
  ],
  [
    'the outbox in production',
    {
      LATCHKEY_MODE: 'production',
      APP_KEY: randomBytes(32).toString('base64'),
      STRIPE_SECRET_KEY: 'sk_test_1',
      STRIPE_WEBHOOK_SECRET: 'whsec_1',
    },
    /needs RESEND_API_KEY or SMTP_URL; the outbox/,
  ],
  ['a database that is not there', { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' }, /database/i],
])('%s is refused with one sentence', async (_, env, sentence) => {
  const other = await anInstallation();
  onTestFinished(() => other.remove());
  await refused(other, env, sentence);
});

test('while the database is away the server says so, goes on for who was there, and takes no notice it could not store', async () => {
  const other = await anInstallation();
  const line = await aWeakLine(other.databaseUrl ?? '');
  const running = await other.start({ DATABASE_URL: line.url });
  onTestFinished(async () => {
    line.mend();
    await running.stop();
    await other.remove();
  });
  const { auth } = await sells(other);
  expect((await asked(other, '/composer/p2/acme/forms.json', auth)).status).toBe(200);
  const secret = (await readFile(join(other.dataFolder, 'stripe-webhook-secret'), 'utf8')).trim();
  const notice = () => {
    const body = JSON.stringify({
      id: 'evt_1',
      object: 'event',
      type: 'charge.refunded',
      livemode: false,
      data: { object: { id: 'ch_1' } },
    });
    const signature = signNotice(body, new Date(), new Secret(secret));
    return fetch(`${other.url}/api/stripe/webhook`, {
      method: 'POST',
      body,
      headers: { 'Stripe-Signature': signature },
    });
  };
  const readiness = async () => {
    const answer = await fetch(`${other.url}/readyz`);
    return { status: answer.status, ...((await answer.json()) as object) };
  };

  line.cut();
  await eventually(async () => {
    await asked(other, '/composer/packages.json', auth);
    return JSON.stringify(await readiness()).includes('down');
  });
  expect(await readiness()).toEqual({ status: 200, database: 'down', mode: 'degraded' });
  expect((await asked(other, '/composer/p2/acme/forms.json', auth)).status).toBe(200);
  const put = await notice();
  expect([put.status, Number(put.headers.get('retry-after')) > 0]).toEqual([503, true]);

  line.mend();
  await eventually(
    async () => (await readiness()).status === 200 && JSON.stringify(await readiness()).includes('normal'),
  );
  await eventually(async () => (await notice()).status === 200);
  // What was answered in the meantime was kept in the journal.
  await eventually(async () => (await events(other, '--action', 'metadata.read')).length === 2);
});

test('after kill -9 it starts again by itself with nothing lost, and Ctrl-C ends all of it, the database last', async () => {
  const other = await anInstallation({ embedded: true });
  onTestFinished(() => other.remove());
  const first = await other.start();
  const { auth } = await sells(other);
  const answered = await Promise.all(
    Array.from({ length: 20 }, () => asked(other, '/composer/p2/acme/forms.json', auth)),
  );
  expect(answered.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  process.kill(first.pid, 'SIGKILL');
  await first.ended;

  const second = await other.start();
  expect((await asked(other, '/composer/p2/acme/forms.json', auth)).status).toBe(200);
  await eventually(async () => (await events(other, '--action', 'metadata.read')).length === 21);
  const postmaster = Number((await readFile(join(other.dataFolder, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
  expect(lives(postmaster)).toBe(true);

  // As the terminal does: to every process of the group at once.
  process.kill(-second.pid, 'SIGINT');
  expect((await second.ended).exit).toBe(0);
  expect(lives(postmaster)).toBe(false);
  expect(existsSync(join(other.dataFolder, 'runtime.json'))).toBe(false);
});

/** Not for one that has ended and waits for whoever inherited it to take note. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a gate serves the repository alone, with as many processes as it is told, and replaces one that dies', async () => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const gate = await shop.start({
    LATCHKEY_ROLE: 'gate',
    GATE_WORKERS: '2',
    NODE_NAME: 'gate-1',
    LATCHKEY_DATA: join(shop.dataFolder, 'gate'),
    APP_KEY: (await readFile(join(shop.dataFolder, 'app.key'), 'utf8')).trim(),
    PORT: String(port),
  });
  onTestFinished(async () => void (await gate.stop()));
  const there = { ...shop, url };
  const workers = async () =>
    (await readFile(`/proc/${gate.pid}/task/${gate.pid}/children`, 'utf8')).trim().split(' ').map(Number);
  await eventually(async () => (await workers()).length === 2);
  expect((await asked(there, '/composer/p2/acme/forms.json')).status).toBe(200);
  expect((await asked(there, '/sign-in')).status).toBe(404);

  const [unlucky = 0] = await workers();
  process.kill(unlucky, 'SIGKILL');
  await eventually(async () => gate.output().split('Ready as gate').length === 4);
  expect((await workers()).filter((pid) => pid !== unlucky)).toHaveLength(2);
  expect((await asked(there, '/composer/p2/acme/forms.json')).status).toBe(200);

  const remaining = await workers();
  expect((await gate.stop()).exit).toBe(0);
  expect(remaining.map(lives)).toEqual([false, false]);
  // Also what the killed one had only in its journal.
  const seen = await events(shop, '--action', 'metadata.read');
  expect(seen.filter(({ node }) => node.startsWith('gate-1')).length).toBe(2);
});

test('SIGTERM lets an archive under way finish, keeps every event, and takes nobody new', async () => {
  const bytes = randomBytes(48 * 1024 * 1024);
  const published = await shop.told<{ shasum: string }>(
    'package',
    'publish',
    await aZip({ version: '2.0.0', files: { 'src/noise.bin': bytes } }),
  );
  const slow = await new Promise<IncomingMessage>((resolve, reject) => {
    const path = `/composer/dist/acme/forms/2.0.0.0/${published.shasum}.zip`;
    get(shop.url + path, { headers: { Authorization: authorization(holder.auth) }, agent: false }, resolve).on(
      'error',
      reject,
    );
  });
  expect(slow.statusCode).toBe(200);
  // Read so far as buffers go; the rest waits in the server.
  slow.pause();
  expect((await asked(shop, '/composer/p2/acme/forms.json')).status).toBe(200);

  const signalled = performance.now();
  server.process.kill('SIGTERM');
  await eventually(() =>
    fetch(`${shop.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  const whole = await buffer(slow);
  expect(createHash('sha1').update(whole).digest('hex')).toBe(published.shasum);

  const { exit } = await server.ended;
  expect(exit).toBe(0);
  expect(performance.now() - signalled).toBeLessThan(25_000);
  const recorded = await events(shop, '--credential', holder.credential.id);
  expect(recorded.map(({ action }) => action)).toContain('archive.downloaded');
  // The last one was asked for a moment before the signal: what is not shipped yet is shipped while stopping.
  expect(recorded.filter(({ action, node }) => action === 'metadata.read' && node === 'main')).toHaveLength(1);
});
