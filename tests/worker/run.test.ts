import { expect, onTestFinished, test, vi } from 'vitest';
import { transact } from '../../lib/db/transact';
import type { Log } from '../../lib/kit/log';
import { sendLater } from '../../lib/mail/deliver';
import type { Mailer, OutgoingMail } from '../../lib/ports/mailer';
import { listFailedJobs } from '../../lib/worker/failed';
import { openPresence } from '../../lib/worker/presence';
import { runDueJobs, startWorker } from '../../lib/worker/run';
import { A_SECRET, licenseIssued, licenseRefunded } from '../support/messages';
import { aTestApp, type TestApp } from '../support/test-app';

function aMailer(send: (mail: OutgoingMail) => Promise<void> = async () => undefined) {
  const sent: OutgoingMail[] = [];
  const mailer: Mailer = {
    name: 'resend',
    async send(mail) {
      await send(mail);
      sent.push(mail);
      return { providerId: `re_${sent.length}` };
    },
  };
  return { mailer, sent };
}

function promise(app: TestApp, dedupeKey: string) {
  return transact(app, (tx) => sendLater(app, tx, { ...licenseIssued(), dedupeKey }));
}

function working(app: TestApp) {
  const worker = startWorker(app);
  let stopped = false;
  const stop = async () => {
    if (!stopped) await worker.stop();
    stopped = true;
  };
  onTestFinished(stop);
  return { stop };
}

async function jobsLeft(app: TestApp): Promise<number> {
  const { rows } = await app.pool.query('select count(*)::int as n from graphile_worker._private_jobs');
  return rows[0].n;
}

async function lockedBy(app: TestApp): Promise<string | null> {
  const { rows } = await app.pool.query('select locked_by from graphile_worker._private_jobs');
  return rows[0]?.locked_by ?? null;
}

function aLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const line = (sentence: string, fields?: object) => void lines.push(`${sentence} ${JSON.stringify(fields ?? {})}`);
  return { lines, debug: line, info: line, warn: line, error: line };
}

test('every due job is run, and none of them twice', async () => {
  const { mailer, sent } = aMailer();
  const app = await aTestApp({ mailer });
  await promise(app, 'one');
  await promise(app, 'two');
  expect(await runDueJobs(app)).toEqual({ done: 2, failed: 0 });
  expect(await runDueJobs(app)).toEqual({ done: 0, failed: 0 });
  expect(sent).toHaveLength(2);
  expect(await jobsLeft(app)).toBe(0);
});

test('a job that fails is listed with its reason, waits, and succeeds once the reason is gone', async () => {
  let away = true;
  const { mailer, sent } = aMailer(async () => {
    if (away) throw new Error(`the mailer is away, says ${A_SECRET}`);
  });
  const log = aLog();
  const app = await aTestApp({ mailer, log });
  await promise(app, 'one');
  const mail = await app.db.mail.findFirstOrThrow();

  expect(await runDueJobs(app)).toEqual({ done: 0, failed: 1 });
  const [failed, ...others] = await listFailedJobs(app);
  expect(others).toEqual([]);
  expect(failed).toMatchObject({
    name: 'mail.deliver',
    payload: { mailId: mail.id },
    attempts: 1,
    attemptsMax: 25,
    lastError: 'the mailer is away, says lk_live_[masked]',
  });
  expect(failed?.triedAgainAt).toBeInstanceOf(Date);
  expect(await runDueJobs(app)).toEqual({ done: 0, failed: 0 });
  expect(log.lines.filter((line) => line.includes('tried again'))).toHaveLength(1);
  expect(log.lines.join('\n')).not.toContain(A_SECRET);

  away = false;
  await app.pool.query('update graphile_worker._private_jobs set run_at = now()');
  expect(await runDueJobs(app)).toEqual({ done: 1, failed: 0 });
  expect(await listFailedJobs(app)).toEqual([]);
  expect(sent).toHaveLength(1);
});

test('a job that has failed for the last time stops loudly: a staff task names it', async () => {
  const { mailer } = aMailer(async () => {
    throw new Error('the mailer is away');
  });
  const app = await aTestApp({ mailer });
  await promise(app, 'one');
  await app.pool.query('update graphile_worker._private_jobs set attempts = max_attempts - 1');
  expect(await runDueJobs(app)).toEqual({ done: 0, failed: 1 });

  const [failed] = await listFailedJobs(app);
  expect(failed?.triedAgainAt).toBeNull();
  const task = await app.db.staffTask.findFirstOrThrow();
  expect(task.kind).toBe('job-failed');
  expect(task.summary).toMatch(/mail\.deliver was given up after 25 tries: the mailer is away/);
});

test('a running worker takes a job as soon as its transaction is committed', async () => {
  const { mailer, sent } = aMailer();
  const app = await aTestApp({ mailer });
  working(app);
  await promise(app, 'before it listens');
  await vi.waitFor(() => expect(sent).toHaveLength(1), { timeout: 10_000 });
  const startedAt = performance.now();
  await promise(app, 'while it listens');
  await vi.waitFor(() => expect(sent).toHaveLength(2), { timeout: 5_000, interval: 5 });
  expect(performance.now() - startedAt).toBeLessThan(900);
});

test('a worker that is stopped finishes the job under way and takes no other', async () => {
  let begun = () => {};
  let finish = () => {};
  const isBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const mayFinish = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { mailer, sent } = aMailer(async () => {
    begun();
    await mayFinish;
  });
  const app = await aTestApp({ mailer });
  const worker = working(app);
  await promise(app, 'one');
  await isBegun;
  const stopped = worker.stop();
  await promise(app, 'two');
  finish();
  await stopped;
  expect(sent).toHaveLength(1);
  expect(await jobsLeft(app)).toBe(1);
});

// The queue by itself holds the jobs of a killed process for four hours: a buyer would wait that long for the mail.
test('the job of a process that was killed is run by the next one at once', async () => {
  const { mailer, sent } = aMailer();
  const app = await aTestApp({ mailer });
  await promise(app, 'one');
  const killed = await openPresence(app.databaseUrl);
  await killed.announce('worker-of-the-killed');
  await app.pool.query(
    `update graphile_worker._private_jobs set locked_by = 'worker-of-the-killed', locked_at = now(), attempts = 1`,
  );
  expect(await runDueJobs(app)).toEqual({ done: 0, failed: 0 });
  expect(await lockedBy(app)).toBe('worker-of-the-killed');

  await killed.leave();
  working(app);
  await vi.waitFor(() => expect(sent).toHaveLength(1), { timeout: 10_000 });
});

test('a worker outlives a restart of the database', async () => {
  const { mailer, sent } = aMailer();
  const app = await aTestApp({ mailer });
  working(app);
  await promise(app, 'one');
  await vi.waitFor(() => expect(sent).toHaveLength(1), { timeout: 10_000 });
  await app.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'latchkey-worker'`,
  );
  await transact(app, (tx) => sendLater(app, tx, licenseRefunded()));
  await vi.waitFor(() => expect(sent).toHaveLength(2), { timeout: 15_000 });
});

test('a worker that starts while the database is away begins once it is back, and stops in between too', async () => {
  const { mailer } = aMailer();
  const app = await aTestApp({ mailer });
  const { Pool } = await import('pg');
  const nowhere = new Pool({ connectionString: 'postgresql://postgres@127.0.0.1:1/none' });
  const log = aLog();
  const worker = startWorker({ ...app, log, pool: nowhere });
  await vi.waitFor(() => expect(log.lines.join('\n')).toContain('starts again'), { timeout: 10_000 });
  await worker.stop();
  await nowhere.end();
});
