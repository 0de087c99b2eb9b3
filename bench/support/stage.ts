import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Client } from 'pg';
import { createProduct } from '../../lib/catalog/products';
import { publishArchive } from '../../lib/catalog/publish';
import { secretLookup } from '../../lib/credentials/issue';
import { ensureEmbedded, removeEmbedded } from '../../lib/db/embedded';
import { migrate } from '../../lib/db/migrate';
import { addDays } from '../../lib/kit/clock';
import { readEnv } from '../../lib/kit/env';
import { newId, randomLower } from '../../lib/kit/ids';
import { silentLog } from '../../lib/kit/log';
import { keyedDigest } from '../../lib/kit/seal';
import { newSecret, Secret } from '../../lib/kit/secret';
import type { App } from '../../lib/ports/app';
import { assemble } from '../../lib/wiring';
import { aZip } from '../../tests/support/zips';
import type { Ask } from './load';
import { answers, freePort, type Subject, startSubject } from './processes';

const ROOT = join(import.meta.dirname, '../..');
export const DOCUMENT_PATH = '/composer/p2/acme/forms.json';

/** How much is measured: all of it, or little enough for a test that only wants to know whether it still runs. */
export interface Size {
  rounds: number;
  /** Rounds before those, which are not counted: code is compiled and caches are filled in them. */
  warmUpRounds: number;
  seconds: number;
  /** Credentials that take turns in the warm measurements. */
  holders: number;
  /** Credentials that are seen for the first time, in each round. */
  strangers: number;
  /** How often each of the holders asks a gate before strangers come. */
  warmUps: number;
  /** Releases of the package: 25 make a document of about 2 KB on the wire. */
  releases: number;
}

export const FULL: Size = {
  rounds: 5,
  warmUpRounds: 1,
  seconds: 4,
  holders: 50,
  strangers: 2_000,
  warmUps: 100,
  releases: 25,
};
export const SMALL: Size = {
  rounds: 1,
  warmUpRounds: 0,
  seconds: 1,
  holders: 3,
  strangers: 40,
  warmUps: 2,
  releases: 2,
};

/** A vendor with a package, a 1 MB archive and many customers, on a PostgreSQL of its own; and servers to stand before them. */
export interface Stage {
  size: Size;
  folder: string;
  /** Basic credentials that open `acme/forms` and `acme/large`. */
  holders: readonly string[];
  strangers: readonly string[];
  /** The path of the 1 MB archive. */
  archivePath: string;
  /** A Latchkey server on a copy of the seeded database. `latchkey` itself is the compiled product. */
  latchkey(name: string, env: Record<string, string>, nodeOptions?: readonly string[]): Promise<LatchkeyServer>;
  /** What runs on this stage; `close` stops it where its benchmark failed. */
  running: Set<Subject>;
  close(): Promise<void>;
}

export interface LatchkeyServer extends Subject {
  /** From its start to the first answer of the repository. */
  readyMs: number;
  /** How many gate events are in the database. */
  shipped(): Promise<number>;
  /** Waits until so many are, and until each is sealed where this server seals. */
  settle(events: number): Promise<void>;
}

export async function openStage(size: Size): Promise<Stage> {
  if (!existsSync(join(ROOT, 'dist/server.js'))) {
    throw new Error('There is no compiled server in dist/; npm run bench makes it, and so does npm run build.');
  }
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  // As root, PostgreSQL runs as another user, who has to get into it.
  await chmod(folder, 0o755);
  const postgres = await aPostgres(folder);
  const databases: string[] = [];
  const running = new Set<Subject>();
  const copyOf = async (template: string | null) => {
    const name = `bench_${randomLower(10)}`;
    await onServer(postgres.url, `create database ${name}${template ? ` template ${template}` : ''}`);
    databases.push(name);
    return name;
  };
  const appKey = randomBytes(32).toString('base64');
  const base = {
    LATCHKEY_MODE: 'demo',
    LATCHKEY_DEMO: '0',
    LATCHKEY_LOG: 'warn',
    APP_KEY: appKey,
    ARCHIVE_URL: `file:${join(folder, 'archives')}`,
    // High, not off: counting is part of what is measured, and a load generator stands in for many machines.
    CREDENTIAL_REQUESTS_PER_MINUTE: '1000000000',
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
  };

  const seededName = await copyOf(null);
  const seededUrl = named(postgres.url, seededName);
  await migrate(ROOT, seededUrl);
  const env = readEnv({ ...base, LATCHKEY_DATA: join(folder, 'seed'), DATABASE_URL: seededUrl });
  const { app, close: disconnect } = await assemble(env, seededUrl, silentLog);
  const archivePath = await seedCatalog(app, size);
  const holders = await seedCredentials(app, size.holders);
  const strangers = await seedCredentials(app, size.strangers);
  await disconnect();

  return {
    size,
    folder,
    holders,
    strangers,
    archivePath,
    running,
    async latchkey(name, variables, nodeOptions = []) {
      const database = named(postgres.url, await copyOf(seededName));
      const port = await freePort();
      const data = join(folder, `${name.replace(/\W+/g, '-')}-${port}`);
      await mkdir(data);
      const began = performance.now();
      const subject = await startSubject(name, port, process.execPath, [...nodeOptions, join(ROOT, 'dist/server.js')], {
        env: {
          ...base,
          DATABASE_URL: database,
          LATCHKEY_DATA: data,
          HOST: '127.0.0.1',
          PORT: String(port),
          APP_URL: `http://127.0.0.1:${port}`,
          ...variables,
        },
        isReady: () => answers(port, '/composer/packages.json', 401),
      });
      const readyMs = performance.now() - began;
      const connection = new Client({ connectionString: database });
      await connection.connect();
      const count = async (sql: string) => Number((await connection.query<{ n: string }>(sql)).rows[0]?.n ?? 0);
      const shipped = () => count('select count(*) as n from audit_events where verdict is not null');
      const server: LatchkeyServer = {
        ...subject,
        readyMs,
        shipped,
        async settle(events) {
          const seals = variables.LATCHKEY_ROLE === 'all';
          const patienceEnds = performance.now() + 120_000;
          while (
            (await shipped()) < events ||
            (seals && (await count('select count(*) as n from audit_unsealed')) > 0)
          ) {
            if (performance.now() > patienceEnds)
              throw new Error(`${name} did not ship its events:\n${subject.output()}`);
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        },
        async stop() {
          running.delete(server);
          await connection.end();
          await subject.stop();
        },
      };
      running.add(server);
      return server;
    },
    async close() {
      for (const subject of running) await subject.stop();
      for (const name of databases) await onServer(postgres.url, `drop database if exists ${name} with (force)`);
      await postgres.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The one named by LATCHKEY_TEST_POSTGRES, else an embedded one, durable as in production. */
async function aPostgres(folder: string): Promise<{ url: string; release(): Promise<void> }> {
  const url = process.env.LATCHKEY_TEST_POSTGRES;
  if (url) return { url, release: async () => undefined };
  const dataFolder = join(folder, 'postgres-data');
  const embedded = await ensureEmbedded({ root: ROOT, dataFolder, log: silentLog });
  return {
    url: embedded.url,
    release: async () => {
      await embedded.release();
      await removeEmbedded(dataFolder);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function named(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** @returns the path of the 1 MB archive */
async function seedCatalog(app: App, { releases }: Size): Promise<string> {
  const by = { kind: 'cli' } as const;
  for (let minor = 0; minor < releases; minor++) {
    const file = await aZip({
      name: 'acme/forms',
      version: `1.${minor}.0`,
      files: { 'src/Version.php': `<?php // ${minor}` },
    });
    await publishArchive(app, { file, by });
  }
  // Random bytes, since a zip of anything else would be smaller than what it is named for.
  const files = { 'src/data.bin': randomBytes(1_048_576) };
  const large = await publishArchive(app, { file: await aZip({ name: 'acme/large', version: '1.0.0', files }), by });
  await createProduct(app, {
    slug: 'forms',
    name: 'Forms',
    packages: ['acme/forms', 'acme/large'],
    termMonths: 12,
    lapse: 'keep-versions',
    prices: [],
    listed: true,
    by,
  });
  // Each release moved it a second on, into the future by now, where no document is settled and nothing is answered 304.
  await app.db.package.updateMany({ data: { changedAt: addDays(app.clock.now(), -1) } });
  return `/composer/dist/${large.package}/${large.versionNormalized}/${large.shasum}.zip`;
}

/**
 * One customer with one license and one credential each, made a week ago, in bulk. They share one slow hash: the gate never
 * asks it where a digest is there.
 *
 * @returns the values of their Authorization headers
 */
async function seedCredentials(app: App, count: number): Promise<string[]> {
  const product = await app.db.product.findUniqueOrThrow({ where: { slug: 'forms' } });
  const secretHash = await app.passwords.hash(new Secret('shared by all of them'));
  const at = addDays(app.clock.now(), -7);
  const made = Array.from({ length: count }, () => ({
    customerId: newId('cus'),
    licenseId: newId('lic'),
    credentialId: newId('crd'),
    username: `lk-forms-${randomLower(8)}`,
    secret: newSecret(),
  }));
  await app.db.customer.createMany({ data: made.map(({ customerId }) => ({ id: customerId, createdAt: at })) });
  await app.db.license.createMany({
    data: made.map(({ customerId, licenseId }) => ({
      id: licenseId,
      customerId,
      productId: product.id,
      origin: 'import',
      issuedAt: at,
      coveredUntil: addDays(at, 365),
      lapse: 'keep-versions',
      changedAt: at,
    })),
  });
  await app.db.credential.createMany({
    data: made.map(({ customerId, credentialId, username, secret }) => ({
      id: credentialId,
      customerId,
      username,
      secretHash,
      secretDigest: new Uint8Array(keyedDigest(app.keys.current.digest, secret.reveal())),
      digestKeyId: app.keys.current.id,
      secretLookup: new Uint8Array(secretLookup(secret)),
      addressList: [],
      issuedAt: at,
      changedAt: at,
    })),
  });
  await app.db.credentialLicense.createMany({
    data: made.map(({ credentialId, licenseId }) => ({ credentialId, licenseId, boundAt: at })),
  });
  return made.map(
    ({ username, secret }) => `Basic ${Buffer.from(`${username}:${secret.reveal()}`).toString('base64')}`,
  );
}

/** What Composer 2 sends, one request for each credential. */
export function asksFor(path: string, authorizations: readonly string[], more: Record<string, string> = {}): Ask[] {
  return authorizations.map((authorization) => ({
    path,
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'deflate, gzip',
      'User-Agent': 'Composer/2.8.12 (Linux; 6.1.0; PHP 8.3.4; cURL 8.5.0; Platform-PHP 8.3.4; CI)',
      Authorization: authorization,
      ...more,
    },
  }));
}

/** One answer as it is on the wire: status, the headers the handler gave, and the body undecoded. */
export interface Recorded {
  path: string;
  ifModifiedSince?: string;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** What a server answers. With `http`, since fetch would decode the body and hide how it was sent. */
export async function recordedAnswer(port: number, ask: Ask | undefined): Promise<Recorded> {
  if (!ask) throw new Error('There is nothing to ask for.');
  const { path, headers } = ask;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, resolve).on('error', reject).end();
  });
  const body = await buffer(response);
  const ofConnection = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);
  const names = response.rawHeaders.filter((_, index) => index % 2 === 0);
  return {
    path,
    ifModifiedSince: headers['If-Modified-Since'],
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      names.flatMap((name, index) =>
        ofConnection.has(name.toLowerCase()) ? [] : [[name, response.rawHeaders[index * 2 + 1] ?? '']],
      ),
    ),
    body,
  };
}

/** Bare Node answering with what Latchkey answered. */
export async function bareNode(stage: Stage, recorded: readonly Recorded[]): Promise<Subject> {
  const port = await freePort();
  const answersFile = join(stage.folder, 'bare-node.json');
  const list = await Promise.all(
    recorded.map(async ({ body, ...answer }, index) => {
      const bodyFile = join(stage.folder, `bare-node-${index}`);
      await writeFile(bodyFile, body);
      return { ...answer, bodyFile: body.length > 0 ? bodyFile : null };
    }),
  );
  await writeFile(answersFile, JSON.stringify(list));
  const script = join(import.meta.dirname, 'bare-node.mjs');
  return onStage(
    stage,
    await startSubject('bare Node', port, process.execPath, [script, answersFile, String(port)], {
      isReady: () => answers(port, recorded[0]?.path),
    }),
  );
}

/** nginx serving the same bytes as files, without authentication: what this machine can do at all. */
export async function nginx(stage: Stage, recorded: readonly Recorded[]): Promise<Subject> {
  const port = await freePort();
  const root = join(stage.folder, 'nginx');
  for (const { path, headers, body, status } of recorded) {
    if (status !== 200) continue;
    const file = join(root, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, body);
    // So that the If-Modified-Since of our document is answered 304 here too.
    const changed = headers['Last-Modified'] ? new Date(headers['Last-Modified']) : new Date();
    await utimes(file, changed, changed);
  }
  const config = join(root, 'nginx.conf');
  // One worker beside one Node process; sendfile and tcp_nopush as distributions set them. Its workers run as whoever
  // started it, since nobody else may read this folder.
  await writeFile(
    config,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${root}/pid; error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_body_temp_path ${root}/t1; proxy_temp_path ${root}/t2; fastcgi_temp_path ${root}/t3;
  uwsgi_temp_path ${root}/t4; scgi_temp_path ${root}/t5;
  types { application/json json; application/zip zip; }
  server {
    listen 127.0.0.1:${port}; root ${root};
    location /composer/p2/ { add_header Content-Encoding gzip; add_header Vary "Authorization, Accept-Encoding"; add_header Cache-Control "private, no-cache"; }
  }
}
`,
  );
  return onStage(
    stage,
    await startSubject('nginx', port, 'nginx', ['-c', config, '-p', root, '-e', 'stderr'], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    }),
  );
}

function onStage(stage: Stage, subject: Subject): Subject {
  const onIt = {
    ...subject,
    stop: async () => {
      stage.running.delete(onIt);
      await subject.stop();
    },
  };
  stage.running.add(onIt);
  return onIt;
}
