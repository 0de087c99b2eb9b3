import type { Needs } from '../ports/app';

export interface FailedJob {
  id: string;
  name: string;
  payload: unknown;
  attempts: number;
  attemptsMax: number;
  lastError: string;
  /** When it is tried again; null where it has stopped and waits for a human. */
  triedAgainAt: Date | null;
}

/** Jobs whose last try failed: those that have stopped first, then by when they are tried again. */
export async function listFailedJobs(app: Needs<'pool'>): Promise<FailedJob[]> {
  // The queue's public view leaves the payload out, and with it which notice or mail it is about.
  const { rows } = await app.pool.query<FailedJob>(`
    select job.id::text, task.identifier as name, job.payload, job.attempts, job.max_attempts as "attemptsMax",
      job.last_error as "lastError",
      case when job.attempts < job.max_attempts then job.run_at end as "triedAgainAt"
    from graphile_worker._private_jobs as job
    join graphile_worker._private_tasks as task on task.id = job.task_id
    where job.last_error is not null and job.locked_at is null
    order by "triedAgainAt" nulls first, job.id`);
  return rows;
}
