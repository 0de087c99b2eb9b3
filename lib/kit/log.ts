import pino from 'pino';

type Fields = Record<string, unknown>;

/** A sentence with the identifiers in it *and* as fields; once, where the thing is handled. Units in field names. */
export interface Log {
  debug(sentence: string, fields?: Fields): void;
  info(sentence: string, fields?: Fields): void;
  warn(sentence: string, fields?: Fields): void;
  error(sentence: string, fields?: Fields): void;
}

/** JSON lines on stderr, so that stdout stays what a command answers. `level`: debug, info, warn, error or silent. */
export function jsonLog(level: string, base: Fields = {}): Log {
  const logger = pino(
    { level, base, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    debug: (sentence, fields) => logger.debug(fields ?? {}, sentence),
    info: (sentence, fields) => logger.info(fields ?? {}, sentence),
    warn: (sentence, fields) => logger.warn(fields ?? {}, sentence),
    error: (sentence, fields) => logger.error(fields ?? {}, sentence),
  };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
