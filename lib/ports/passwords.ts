import type { Secret } from '../kit/secret';

/** The slow hash, kept off the event loop. */
export interface Passwords {
  /** A bcrypt hash of the secret, `$2b$…`. */
  hash(secret: Secret): Promise<string>;
  /** Whether a secret is the one behind a bcrypt hash; false for a hash of any other form. */
  matches(secret: Secret, hash: string): Promise<boolean>;
  close(): Promise<void>;
}
