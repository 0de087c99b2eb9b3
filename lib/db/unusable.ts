import { DomainError, errorCode, errorMessage } from '../kit/errors';

/** The database is not there, does not answer, or does not let us in: nothing that a stack would explain. */
export class DatabaseUnusable extends DomainError {
  constructor(place: string, why: string) {
    super('database-unusable', `The database at ${place} cannot be used: ${why}. Check DATABASE_URL.`);
  }
}

/** Node's words for a host that does not answer; PostgreSQL's for who may not come in, or asks for what is not there. */
const CODES =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|28\w{3}|3D000|53300|57P0[1-3])$/;
/** The driver gives these no code. */
const SENTENCES = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** A sentence in place of a driver's error that only says that the database cannot be used; null for any other. */
export function databaseUnusable(error: unknown, databaseUrl: string): DatabaseUnusable | null {
  const code = errorCode(error) ?? '';
  const message = errorMessage(error);
  if (!CODES.test(code) && !SENTENCES.test(message)) return null;
  // The host alone: the rest of the URL holds a password.
  const place = URL.canParse(databaseUrl) ? new URL(databaseUrl).host : 'DATABASE_URL';
  return new DatabaseUnusable(place, message || code);
}
