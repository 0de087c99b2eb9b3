import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diskArchive } from './adapters/archive-disk';
import { outboxMailer } from './adapters/mailer-outbox';
import { resendMailer } from './adapters/mailer-resend';
import { smtpMailer } from './adapters/mailer-smtp';
import { bcryptPasswords } from './adapters/passwords-bcrypt';
import { pretendPayments, pretendWebhookSecret } from './adapters/payments-pretend';
import { stripePayments } from './adapters/payments-stripe';
import { type JournalFiles, openJournal } from './audit/journal';
import { type Shipper, startShipper } from './audit/shipper';
import { type Composer, openComposer } from './composer/serve';
import { openDatabase, openGatePool, type Pool } from './db/client';
import { ensureEmbedded } from './db/embedded';
import { migrate } from './db/migrate';
import { systemClock } from './kit/clock';
import { type Env, EnvironmentRefused, readEnv } from './kit/env';
import { errorCode } from './kit/errors';
import { jsonLog, type Log } from './kit/log';
import { type KeyRing, keyRing } from './kit/seal';
import { absolute, paths } from './paths';
import type { App } from './ports/app';
import type { ArchiveStore } from './ports/archive';
import type { Mailer } from './ports/mailer';
import type { Payments } from './ports/payments';

/** What one process runs on; the front door leaves it on `globalThis`, where Next's own bundle finds the same one. */
export interface Running {
  app: App;
  composer: Composer;
}

declare global {
  var latchkeyRunning: Promise<Running> | undefined;
}

/** An App with what must be let go of, in this order, when the process ends. */
export interface Assembled {
  app: App;
  close(): Promise<void>;
}

/** The data plane of a process, with the journal under it and the shipper behind it. */
export interface DataPlane {
  composer: Composer;
  journal: JournalFiles;
  shipper: Shipper;
  /** Writes and ships what is left; call it when no request is under way any more. */
  close(): Promise<void>;
}

/** The project's folder, wherever this file was bundled to. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (folder !== dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'latchkey') return folder;
    folder = dirname(folder);
  }
  return process.cwd();
}

/** The database of this environment: the one named, else the embedded one, started here and shared with who else uses it. */
export async function openEnvironmentDatabase(env: Env, log: Log): Promise<{ url: string; release(): Promise<void> }> {
  if (env.databaseUrl) return { url: env.databaseUrl, release: async () => undefined };
  return ensureEmbedded({ root: projectRoot(), dataFolder: env.dataFolder, log });
}

/** Builds the App on a database that is there and migrated. Connections are made on first use. */
export async function assemble(env: Env, databaseUrl: string, log: Log): Promise<Assembled> {
  const root = projectRoot();
  const clock = systemClock;
  const keys = await keysOf(env);
  const opened = openDatabase(databaseUrl, env.databaseReplicaUrls);
  const passwords = bcryptPasswords(root);
  const app: App = {
    env: { ...env, databaseUrl },
    clock,
    log,
    keys,
    db: opened.db,
    pool: opened.pool,
    replicas: opened.replicas,
    commits: { count: 0 },
    archive: archiveOf(env),
    mailer: mailerOf(env),
    payments: await paymentsOf(env, log),
    passwords,
  };
  // next-auth reads these from the environment alone, when its first request comes.
  process.env.NEXTAUTH_URL = env.appUrl;
  return {
    app,
    close: async () => {
      await opened.close();
      await passwords.close();
    },
  };
}

/** @param journalFolder of this process alone; the caller holds the claim on it */
export function openDataPlane(app: App, journalFolder: string): DataPlane {
  const journal = openJournal({ folder: journalFolder, nodeName: app.env.nodeName, clock: app.clock, log: app.log });
  const shipper = startShipper({ pool: app.pool, keys: app.keys, log: app.log, journal });
  const primary = app.env.databaseUrl ?? '';
  const gatePools: Pool[] = [primary, ...app.env.databaseReplicaUrls].map((url) => openGatePool(url));
  const composer = openComposer(app, journal, gatePools);
  return {
    composer,
    journal,
    shipper,
    close: async () => {
      composer.stop();
      await shipper.stop();
      await journal.close();
      await Promise.all(gatePools.map((pool) => pool.end()));
    },
  };
}

/**
 * Ships what gate workers of an earlier start left in journal folders that nobody uses now.
 *
 * @param ownFolder this process's journal; its subfolders belong to workers. The caller holds the data folder's claim
 */
export async function shipLeftJournals(app: App, ownFolder: string): Promise<void> {
  const folders = (await readdir(ownFolder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name } of folders) {
    const journal = openJournal({
      folder: join(ownFolder, name),
      nodeName: app.env.nodeName,
      clock: app.clock,
      log: app.log,
    });
    const shipper = startShipper({ pool: app.pool, keys: app.keys, log: app.log, journal });
    await shipper.stop();
    await journal.close();
  }
}

/**
 * What this process runs on. Behind the front door it is there already; under a bare `next start` it is built on the
 * first request, with a journal of its own in the data folder.
 */
export function running(): Promise<Running> {
  globalThis.latchkeyRunning ??= (async () => {
    const env = readEnv(process.env);
    const log = jsonLog(env.logLevel);
    const database = await openEnvironmentDatabase(env, log);
    await migrate(projectRoot(), database.url);
    const { app } = await assemble(env, database.url, log);
    const { composer } = openDataPlane(app, join(env.dataFolder, 'journal', 'next'));
    return { app, composer };
  })();
  return globalThis.latchkeyRunning;
}

export async function runningApp(): Promise<App> {
  return (await running()).app;
}

async function keysOf(env: Env): Promise<KeyRing> {
  const current = env.appKey ?? (await appKeyIn(env.dataFolder));
  return keyRing(current, env.olderAppKeys);
}

/** The key of demo mode: made once, readable by its owner only. Two processes that come first at once agree on one. */
async function appKeyIn(dataFolder: string): Promise<Buffer> {
  const file = join(dataFolder, 'app.key');
  await mkdir(dataFolder, { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length !== 32) {
    throw new EnvironmentRefused(`${file} is no key of 32 bytes in base64; put back the one it held, or set APP_KEY.`);
  }
  return key;
}

function archiveOf(env: Env): ArchiveStore {
  if (env.archiveUrl.startsWith('s3:')) {
    throw new EnvironmentRefused('ARCHIVE_URL names S3, but this version keeps archives on disk only; use file:/path.');
  }
  const path = decodeURIComponent(env.archiveUrl.replace(/^file:(\/\/)?/, ''));
  return diskArchive(path === '' ? join(env.dataFolder, 'archives') : path);
}

function mailerOf(env: Env): Mailer {
  const { resendKey, smtpUrl, from } = env.mail;
  if (resendKey) return resendMailer({ key: resendKey, from });
  if (smtpUrl) return smtpMailer({ url: smtpUrl, from });
  return outboxMailer({ mode: env.mode, dataFolder: env.dataFolder, clock: systemClock });
}

async function paymentsOf(env: Env, log: Log): Promise<Payments> {
  const { secretKey, webhookSecret, apiBase } = env.stripe;
  if (secretKey && webhookSecret) return stripePayments({ secretKey, webhookSecret, apiBase });
  return pretendPayments({
    mode: env.mode,
    folder: join(env.dataFolder, 'pretend-stripe'),
    webhookSecret: webhookSecret ?? (await pretendWebhookSecret(env.dataFolder)),
    checkoutUrl: (sessionId) => absolute(env.appUrl, paths.pretendCheckout(sessionId)),
    // To ourselves on the loopback: APP_URL may be a name that only the outside resolves.
    deliverTo: `http://${loopback(env.host)}:${env.port}${paths.stripeWebhook()}`,
    clock: systemClock,
    log,
  });
}

function loopback(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
