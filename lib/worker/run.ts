import { EventEmitter, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger, run, runOnce, type Worker, type WorkerEvents } from 'graphile-worker';
import { Pool } from 'pg';
import { SECOND } from '../kit/clock';
import { errorMessage } from '../kit/errors';
import { maskSecrets } from '../kit/secret';
import type { App, Needs } from '../ports/app';
import { freeAbandonedJobs, openPresence, type Presence } from './presence';
import { tasks } from './registry';
import { startSchedule } from './schedule';

const CONCURRENCY = 4;
/** A new job is announced by NOTIFY; this is for those that wait for their time. */
const POLL_MS = SECOND;
const ABANDONED_EVERY_MS = 15 * SECOND;
const RESTART_AFTER_MS = SECOND;
const STOP_WITHIN_MS = 10 * SECOND;
const LEAVE_WITHIN_MS = 3 * SECOND;

export interface RunningWorker {
  /** Takes no more jobs and waits for those under way, at most 10 s; what is cut off is run again by whoever comes next. */
  stop(): Promise<void>;
}

/**
 * Runs jobs in this process until it is stopped, four at a time, and looks every minute for what is due by date. Goes on
 * through outages of the database: a worker that lost its connection is replaced. Has a pool of its own, so that jobs and pages never wait for each other's connections, and
 * leaves signals to its caller.
 */
export function startWorker(app: App): RunningWorker {
  const stopping = new AbortController();
  const schedule = startSchedule(app);
  const lives = liveAgainAndAgain(app, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await Promise.all([lives, schedule.stop()]);
    },
  };
}

/**
 * Runs every due job, one after the other, and those that they cause; returns once none is left that is due.
 *
 * @returns how many tries succeeded, and how many failed and wait for their next time
 */
export async function runDueJobs(app: App): Promise<{ done: number; failed: number }> {
  const tries = { done: 0, failed: 0 };
  const events: WorkerEvents = new EventEmitter();
  events.on('job:success', () => tries.done++);
  events.on('job:error', () => tries.failed++);
  await freeAbandonedJobs(app.pool);
  const presence = await openPresence(databaseUrl(app));
  try {
    await runOnce({ ...shared(app, presence), pgPool: app.pool, events, taskList: tasks(app) });
  } finally {
    await presence.leave();
  }
  return tries;
}

async function liveAgainAndAgain(app: App, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      await live(app, stopping);
    } catch (error) {
      app.log.warn(`The job worker stopped and starts again: ${said(error)}`);
    }
    if (!stopping.aborted) await wait(RESTART_AFTER_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** One life of the worker: until it is stopped, or until something happens that its queue does not recover from. */
async function live(app: App, stopping: AbortSignal): Promise<void> {
  const pool = new Pool({
    connectionString: databaseUrl(app),
    max: CONCURRENCY + 2,
    connectionTimeoutMillis: 5 * SECOND,
    application_name: 'latchkey-worker',
  });
  // An idle connection that dies emits here; the next query opens another and reports its own fate.
  pool.on('error', () => undefined);
  const workers: Worker[] = [];
  const events: WorkerEvents = new EventEmitter();
  events.on('worker:create', ({ worker }) => workers.push(worker));
  let presence: Presence | null = null;
  try {
    presence = await openPresence(databaseUrl(app));
    await freeAbandonedJobs(pool);
    const runner = await run({
      ...shared(app, presence),
      pgPool: pool,
      events,
      taskList: tasks(app),
      concurrency: CONCURRENCY,
      pollInterval: POLL_MS,
    });
    const over = new AbortController();
    const abandoned = setInterval(() => {
      freeAbandonedJobs(pool).catch((error) => app.log.warn(`Looked in vain for abandoned jobs: ${said(error)}`));
    }, ABANDONED_EVERY_MS);
    try {
      // A worker that could not give its job back is not replaced by the queue; nor does a lost presence come back.
      await Promise.race([
        stopping.aborted ? undefined : once(stopping, 'abort', { signal: over.signal }),
        once(events as EventEmitter, 'worker:fatalError', { signal: over.signal }),
        presence.lost,
        runner.promise.catch(() => undefined),
      ]);
    } finally {
      over.abort();
      clearInterval(abandoned);
    }
    if (!(await within(STOP_WITHIN_MS, runner.stop()))) await giveBack(app, pool, workers);
  } finally {
    // A connection that hangs must keep neither the process from ending nor the next life from beginning.
    await within(LEAVE_WITHIN_MS, Promise.all([presence?.leave(), pool.end()]));
  }
}

/** Whether it came to an end, good or bad, in time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, wait(milliseconds, false, { ref: false })]);
}

async function giveBack(app: App, pool: Pool, workers: readonly Worker[]): Promise<void> {
  const jobs = workers.flatMap((worker) => worker.getActiveJob()?.id ?? []);
  app.log.warn(`Stopped with ${jobs.length} jobs under way; they will be run again`, { jobs });
  await pool.query('select graphile_worker.force_unlock_workers($1)', [workers.map((worker) => worker.workerId)]);
}

function shared(app: App, presence: Presence) {
  return {
    noHandleSignals: true,
    useNodeTime: true,
    logger: quietLogger(app),
    preset: {
      plugins: [
        {
          name: 'latchkey-presence',
          version: '1',
          worker: {
            hooks: { startWorker: (_: unknown, { worker }: { worker: Worker }) => presence.announce(worker.workerId) },
          },
        },
      ],
    },
  };
}

/** The queue tells every step; what became of a job is told by the registry, once and in our words. */
function quietLogger(app: Needs<'log'>): Logger {
  return new Logger(() => (level, message) => {
    const sentence = maskSecrets(message.split('\n')[0] ?? '');
    const isAboutJob = /^(Failed|Completed|Found) task /.test(sentence);
    if (!isAboutJob && (level === 'error' || level === 'warning')) app.log.warn(sentence);
    else app.log.debug(sentence);
  });
}

function databaseUrl(app: Needs<'pool'>): string {
  const url = app.pool.options.connectionString;
  if (!url) throw new Error('The pool was opened without a URL, so the worker cannot open its own connections.');
  return url;
}

function said(error: unknown): string {
  return maskSecrets(errorMessage(error));
}
