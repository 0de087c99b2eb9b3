import type { Db, Pool } from '../db/client';
import type { Clock } from '../kit/clock';
import type { Env } from '../kit/env';
import type { Log } from '../kit/log';
import type { KeyRing } from '../kit/seal';
import type { ArchiveStore } from './archive';
import type { Mailer } from './mailer';
import type { Passwords } from './passwords';
import type { Payments } from './payments';

/** Everything the product needs from the world; built once in wiring, passed as first argument. */
export interface App {
  env: Env;
  clock: Clock;
  log: Log;
  keys: KeyRing;
  db: Db;
  /** The pool under `db`. */
  pool: Pool;
  replicas: Pool[];
  /** Counts this process's transactions: the gate trusts nothing it read before the last one. */
  commits: { count: number };
  archive: ArchiveStore;
  mailer: Mailer;
  payments: Payments;
  passwords: Passwords;
}

/** As much of the world as a function uses. */
export type Needs<K extends keyof App> = Pick<App, K>;
