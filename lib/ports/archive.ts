import type { Readable } from 'node:stream';

/** Zips by the SHA-256 of their bytes; what is stored never changes. */
export interface ArchiveStore {
  /**
   * Stores a file under its hash; a second put of the same bytes does nothing. The archive exists wholly or not at all.
   *
   * @param sha256 lower-case hex, checked while copying; a mismatch is refused with code `archive-damaged`
   */
  put(sha256: string, file: string): Promise<void>;
  has(sha256: string): Promise<boolean>;
  /** Null where it is absent. `start` and `end` are inclusive byte offsets. */
  read(sha256: string, range?: { start: number; end: number }): Promise<{ stream: Readable; sizeBytes: number } | null>;
  /** A short-lived URL that serves the bytes without our credentials, or null where the store has none. */
  signedUrl(sha256: string): Promise<string | null>;
  /** Reads every byte again: `intact`, `damaged`, or `absent`. */
  verify(sha256: string): Promise<'intact' | 'damaged' | 'absent'>;
}
