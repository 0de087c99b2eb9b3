import cluster from 'node:cluster';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { isComposerPath, mountNode, splitTarget } from './lib/composer/mount-node';
import { refusalBody } from './lib/composer/refusal';
import { migrate } from './lib/db/migrate';
import { claimDataFolder, clearRuntime, writeRuntime } from './lib/db/runtime';
import { databaseUnusable } from './lib/db/unusable';
import { type AddressRange, CLIENT_ADDRESS_HEADER, clientIp, parseRanges } from './lib/http/client-ip';
import { type Env, readEnv } from './lib/kit/env';
import { DomainError, errorCode, errorMessage, isDomainError } from './lib/kit/errors';
import { jsonLog, type Log } from './lib/kit/log';
import type { PretendPayments } from './lib/ports/payments';
import {
  assemble,
  type DataPlane,
  openDataPlane,
  openEnvironmentDatabase,
  projectRoot,
  shipLeftJournals,
} from './lib/wiring';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** From the signal to the last process: what is not done by then is cut off. */
const STOP_WITHIN_MS = 24_000;
const IN_FLIGHT_MS = 8_000;
const REPLACE_AFTER_MS = 1_000;
/** As nginx's default; Node itself would allow 16 KB and answer 431 beyond. */
const HEADER_BYTES_MAX = 8_192;

class PortTaken extends DomainError {
  constructor(host: string, port: number) {
    super(
      'port-taken',
      `Port ${port} on ${host} is already taken; stop what listens there, or choose another with PORT.`,
    );
  }
}

class PortRefused extends DomainError {
  constructor(host: string, port: number, why: string) {
    super('port-refused', `Port ${port} on ${host} cannot be listened on: ${why}.`);
  }
}

/** What has to be let go of, last opened first. */
class Closing {
  readonly #steps: { what: string; close: () => Promise<unknown> }[] = [];

  add(what: string, close: () => Promise<unknown>): void {
    this.#steps.unshift({ what, close });
  }

  async run(log: Log): Promise<void> {
    for (const { what, close } of this.#steps) {
      try {
        await close();
      } catch (error) {
        log.error(`Could not close ${what} cleanly.`, { error: errorMessage(error) });
      }
    }
  }
}

async function main(): Promise<void> {
  const env = readEnv(process.env);
  const log = jsonLog(env.logLevel, { node: env.nodeName });
  if (env.role === 'gate' && env.gateWorkers > 1 && cluster.isPrimary) return superviseGates(env, log);

  const closing = new Closing();
  let stopping: Promise<void> | null = null;
  const stop = (code: number): Promise<void> => {
    stopping ??= (async () => {
      setTimeout(() => {
        log.error('Stopping took too long; what was left is cut off.');
        process.exit(code || 1);
      }, STOP_WITHIN_MS).unref();
      await closing.run(log);
      process.exit(code);
    })();
    return stopping;
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stopping && env.role === 'all')
        process.stdout.write('\nStopping: answers under way, then the journal, then the database.\n');
      void stop(0);
    });
  }
  try {
    await open(env, log, closing);
  } catch (error) {
    tell(error);
    await stop(1);
  }
}

/** A refusal is its sentence; only a bug shows where it happened. */
function tell(error: unknown): void {
  process.stderr.write(
    isDomainError(error) ? `${error.message}\n` : `${error instanceof Error ? error.stack : error}\n`,
  );
}

async function open(env: Env, log: Log, closing: Closing): Promise<void> {
  const worker = cluster.isWorker ? (process.env.LATCHKEY_GATE_WORKER ?? '0') : null;
  if (worker === null) {
    const claim = await claimDataFolder(env.dataFolder, env.nodeName);
    closing.add('the claim on the data folder', () => claim.release());
  }

  // Listening comes first: a port that is taken is told before anything else was started.
  let handle: Handler = notReady;
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, keepAliveTimeout: 65_000, requestTimeout: 120_000 },
    (request, response) => handle(request, response),
  );
  server.on('clientError', refuseUnreadable);
  if (env.role !== 'worker') await listen(server, env);

  const database = await openEnvironmentDatabase(env, log);
  closing.add('the database', () => database.release());
  const root = projectRoot();
  if (env.role !== 'gate') await migrated(root, database.url);
  const { app, close } = await assemble(env, database.url, log);
  closing.add('the connections', close);

  if (env.role !== 'gate') {
    const { startSealer } = await import('./lib/audit/sealer');
    const sealer = startSealer(app);
    closing.add('the sealer', () => sealer.stop());
  }
  if (env.role === 'all' || env.role === 'worker') {
    const { startWorker } = await import('./lib/worker/run');
    const running = startWorker(app);
    closing.add('the worker', () => running.stop());
  }

  const demo = env.loadDemo && env.role === 'all' ? await (await import('./prisma/seed')).loadDemo(app) : null;

  if (env.role !== 'worker') {
    const trusted = parseRanges(env.trustedProxies);
    const pages = env.role === 'gate' ? notHere : await nextPages(env, root, server, trusted);
    // Opened last: what came before keeps the event loop busy, and half a second of that would look like a lost database.
    const folder = join(env.dataFolder, 'journal', worker === null ? '' : `worker-${worker}`);
    const plane = openDataPlane(app, folder);
    closing.add('the journal', () => plane.close());
    globalThis.latchkeyRunning = Promise.resolve({ app, composer: plane.composer });
    if (env.role !== 'gate') await shipLeftJournals(app, folder);
    handle = route(plane, mountNode(plane.composer, { appUrl: env.appUrl, trusted, log }), pages);
    closing.add('the requests under way', () => finishRequests(server));
  }

  if (env.role === 'all' || env.role === 'web') {
    await writeRuntime(env.dataFolder, { port: portOf(server), url: env.appUrl, databaseUrl: database.url });
    closing.add('the runtime file', () => clearRuntime(env.dataFolder));
  }
  // What a stand-in for Stripe could not deliver before, now that the webhook listens.
  if ('deliverWaiting' in app.payments) void (app.payments as PretendPayments).deliverWaiting();
  if (env.role === 'all') (await import('./bin/banner')).printBanner(app, demo);
  else log.info(`Ready as ${env.role}.`, { role: env.role, port: env.role === 'worker' ? null : portOf(server) });
}

/** As `migrate`, with a sentence where the database cannot be used at all. */
async function migrated(root: string, databaseUrl: string): Promise<void> {
  try {
    await migrate(root, databaseUrl);
  } catch (error) {
    throw databaseUnusable(error, databaseUrl) ?? error;
  }
}

/** One page of addresses: the data plane, the health checks, and everything else to Next. */
function route(plane: DataPlane, composer: Handler, pages: Handler): Handler {
  return (request, response) => {
    const { path, query } = splitTarget(request.url ?? '/');
    if (isComposerPath(path)) return composer(request, response);
    if (path === '/healthz') return answerJson(response, 200, { alive: true });
    if (path === '/readyz') {
      const { state } = plane.composer.reach;
      const mode = state === 'up' && !plane.journal.full ? 'normal' : 'degraded';
      return answerJson(response, plane.journal.full ? 503 : 200, { database: state, mode });
    }
    // Next cannot read the forms that begin otherwise: a proxy's whole URL, and the asterisk of OPTIONS.
    if (!request.url?.startsWith('/')) request.url = query === '' ? path : `${path}?${query}`;
    return pages(request, response);
  };
}

/** Next's pages know no socket, so they are told the client's address; nobody else can say it in its name. */
async function nextPages(env: Env, root: string, server: Server, trusted: readonly AddressRange[]): Promise<Handler> {
  const { default: next } = await import('next');
  const dev = process.env.NODE_ENV === 'development';
  const pages = next({ dev, dir: root, hostname: env.host, port: portOf(server), httpServer: server });
  await pages.prepare();
  const handle = pages.getRequestHandler();
  const secure = env.appUrl.startsWith('https:');
  return (request, response) => {
    const forwarded = request.headers['x-forwarded-for'];
    const address = clientIp(request.socket.remoteAddress, forwarded?.toString(), trusted);
    if (address) request.headers[CLIENT_ADDRESS_HEADER] = address;
    else delete request.headers[CLIENT_ADDRESS_HEADER];
    // RFC 6797: a browser that has been here by https once never asks by http again. Meaningless, and ignored, by http.
    if (secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
    void handle(request, response);
  };
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

function notReady(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Retry-After', '5');
  answerJson(response, 503, { warning: 'The server is starting. Try again in a few seconds.' });
}

function notHere(_request: IncomingMessage, response: ServerResponse): void {
  answerJson(response, 404, { warning: 'This process serves /composer only.' });
}

/** What Node could not read as a request. Composer prints the sentence; a browser shows it. */
function refuseUnreadable(error: Error, socket: import('node:stream').Duplex): void {
  if (!socket.writable) return;
  const tooLarge = errorCode(error) === 'HPE_HEADER_OVERFLOW';
  const body = refusalBody('', {
    sentence: tooLarge ? 'The headers of this request are too large.' : 'This is not a readable HTTP request.',
  });
  socket.end(
    `HTTP/1.1 ${tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function listen(server: Server, env: Env): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        errorCode(error) === 'EADDRINUSE'
          ? new PortTaken(env.host, env.port)
          : new PortRefused(env.host, env.port, errorMessage(error)),
      ),
    );
    server.listen(env.port, env.host, resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** No new connections; those with an answer under way get it, the idle ones are closed. */
async function finishRequests(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const cutOff = setTimeout(() => server.closeAllConnections(), IN_FLIGHT_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cutOff);
}

/** `GATE_WORKERS` processes behind one port; one that dies is replaced. The database and the claim belong to this one. */
async function superviseGates(env: Env, log: Log): Promise<void> {
  const claim = await claimDataFolder(env.dataFolder, env.nodeName);
  // Told once, by this process, and not by each worker.
  const probe = createServer();
  await listen(probe, env);
  await new Promise((resolve) => probe.close(resolve));
  const database = await openEnvironmentDatabase(env, log);
  let stopping = false;
  const fork = (number: number) => {
    if (stopping) return;
    const gate = cluster.fork({
      LATCHKEY_GATE_WORKER: String(number),
      LATCHKEY_MODE: env.mode,
      DATABASE_URL: database.url,
    });
    let listened = false;
    gate.on('listening', () => {
      listened = true;
    });
    gate.on('exit', () => {
      if (stopping) return;
      log.error(`Gate worker ${number} ended and is replaced.`, { worker: number });
      // One that cannot even begin is given time, so that it does not fill the log.
      setTimeout(() => fork(number), listened ? 0 : REPLACE_AFTER_MS);
    });
  };
  for (let number = 1; number <= env.gateWorkers; number++) fork(number);
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    const gates = Object.values(cluster.workers ?? {}).filter((gate) => gate !== undefined);
    const ended = gates.map((gate) => new Promise((resolve) => gate.on('exit', resolve)));
    // Not `gate.kill`, which waits for every kept-alive connection before it sends the signal.
    for (const gate of gates) gate.process.kill('SIGTERM');
    await Promise.all(ended);
    await database.release();
    await claim.release();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

// Prisma loads relations side by side on one connection, which its driver announces to give up some day: nothing that
// whoever starts this could do anything about.
process.noDeprecation = true;
try {
  await main();
} catch (error) {
  tell(error);
  process.exit(1);
}
