import { isDomainError } from '../kit/errors';
import { newId } from '../kit/ids';
import type { Needs } from '../ports/app';

/** Statuses of refusals that are not the usual 409; by the refusal's code. */
export type RefusalStatuses = Readonly<Record<string, number>>;

/**
 * Runs a route handler's work and answers for what it throws: a refusal as `{"error":{"code","message"}}` with 409 or
 * the status given for its code; anything else is a bug, logged once, answered 500 with nothing of it but the request
 * id. Both carry `Cache-Control: no-store`.
 */
export async function answer(
  app: Needs<'log'>,
  work: () => Promise<Response>,
  statuses: RefusalStatuses = {},
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (isDomainError(error)) return errorAnswer(statuses[error.code] ?? 409, error.code, error.message);
    const requestId = newId('req');
    return errorAnswer(500, 'internal', sentenceForBug(app, error, requestId));
  }
}

/** An error as every route of ours words it. */
export function errorAnswer(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status, headers: { 'Cache-Control': 'no-store' } });
}

/** Logs a bug once, under the id that its reader is told. */
export function sentenceForBug(app: Needs<'log'>, error: unknown, requestId: string): string {
  app.log.error(`A request failed on our side (${requestId})`, {
    requestId,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return `This failed on our side and is logged as ${requestId}. Try again; if it stays, send us that id.`;
}
