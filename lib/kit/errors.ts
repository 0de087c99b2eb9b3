/**
 * A refused command: an expected answer that changes nothing. `code` is stable and machine-read; `message` is one
 * sentence for the person who asked and tells what to do next.
 *
 * Two module graphs load this file (the front door's and Next's), so recognise it by `isDomainError`, never by
 * `instanceof`.
 */
export class DomainError extends Error {
  readonly domainError = true;

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'DomainError';
  }
}

export function isDomainError(error: unknown): error is DomainError {
  return typeof error === 'object' && error !== null && (error as DomainError).domainError === true;
}

/** The `code` that PostgreSQL, Node and our own errors all carry, or null for anything else. */
export function errorCode(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : null;
  return typeof code === 'string' ? code : null;
}

/** An error's message for a log line; anything thrown that is no error is shown as text. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
