import type { Tx } from '../db/client';

/** Every job of the product; the registry maps each to its handler, so a name without one does not compile. */
export interface JobPayloads {
  'mail.deliver': { mailId: string };
  'notice.handle': { noticeId: string };
}

export type JobName = keyof JobPayloads;

export interface JobOptions {
  /** Only one waiting job per key; a later one replaces it. */
  key?: string;
  /** Not before this instant. */
  runAt?: Date;
  /** Tries before it stops loudly; waits grow as e^try seconds. */
  attempts?: number;
}

/**
 * Adds a job in the caller's transaction: it exists if and only if the change does. Payloads hold ids; the handler looks
 * the rest up when it runs.
 */
export async function enqueue<N extends JobName>(
  tx: Tx,
  name: N,
  payload: JobPayloads[N],
  options: JobOptions = {},
): Promise<void> {
  await tx.$executeRaw`
    select graphile_worker.add_job(
      ${name}::text,
      payload => ${JSON.stringify(payload)}::json,
      run_at => ${options.runAt ?? null}::timestamptz,
      max_attempts => ${options.attempts ?? 25}::int,
      job_key => ${options.key ?? null}::text
    )`;
}
