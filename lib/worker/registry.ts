import type { Job, TaskList } from 'graphile-worker';
import { handleNotice } from '../billing/notices';
import type { JobName, JobPayloads } from '../jobs/queue';
import { errorMessage } from '../kit/errors';
import { newId } from '../kit/ids';
import { maskSecrets } from '../kit/secret';
import { handOverMail } from '../mail/hand-over';
import type { App } from '../ports/app';

/** Every job and who does it. A handler may be called again after it has succeeded, and does nothing more then. */
const HANDLERS: { [N in JobName]: (app: App, payload: JobPayloads[N]) => Promise<unknown> } = {
  'mail.deliver': (app, { mailId }) => handOverMail(app, mailId),
  'notice.handle': (app, { noticeId }) => handleNotice(app, noticeId),
};

/** The handlers in the queue's form: what fails is logged once, and what has failed for the last time waits for staff. */
export function tasks(app: App): TaskList {
  return Object.fromEntries(
    Object.entries(HANDLERS).map(([name, handle]) => [
      name,
      async (payload: unknown, { job }: { job: Job }) => {
        const startedAt = performance.now();
        try {
          // Payloads are written by `enqueue`, whose types tie each to its name.
          await handle(app, payload as never);
          const durationMs = Math.round(performance.now() - startedAt);
          app.log.debug(`Did job ${job.id} (${name})`, { jobId: job.id, name, durationMs });
        } catch (error) {
          const why = maskSecrets(errorMessage(error));
          await tellOfFailure(app, { job, name, payload, why });
          throw new Error(why, { cause: error });
        }
      },
    ]),
  );
}

async function tellOfFailure(app: App, failure: { job: Job; name: string; payload: unknown; why: string }) {
  const { job, name, payload, why } = failure;
  const facts = { jobId: job.id, name, attempts: job.attempts, attemptsMax: job.max_attempts, why };
  if (job.attempts < job.max_attempts) {
    app.log.warn(`Job ${job.id} (${name}) failed and will be tried again: ${why}`, facts);
    return;
  }
  app.log.error(`Job ${job.id} (${name}) failed for the last time: ${why}`, facts);
  await app.db.staffTask.createMany({
    data: [
      {
        id: newId('tsk'),
        kind: 'job-failed',
        dedupeKey: `job-failed:${job.id}`,
        summary: `The job ${name} was given up after ${job.attempts} tries: ${why}`,
        facts: { ...facts, payload: payload as object },
        raisedAt: app.clock.now(),
      },
    ],
    skipDuplicates: true,
  });
}
