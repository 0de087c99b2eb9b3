import { crc32 } from 'node:zlib';

/** A document's Last-Modified, and whether a request that echoes it may be answered 304. */
export interface Freshness {
  lastModified: string;
  settled: boolean;
}

/**
 * Composer keeps one cache per repository URL, shared by all credentials of a machine, and compares Last-Modified as
 * text; it never uses an ETag. So the date must differ wherever the visible content does:
 *
 * - it moves with `changedAt`, the later of the package's and the entitlement's last change;
 * - a second in which something changed may see another change: until it is over the date is one second behind and no
 *   304 is given, so a document of the middle of that second is asked for again;
 * - a limited view steps back by up to an hour, by the hash of its limits, so that two credentials of one machine never
 *   take each other's document for their own.
 */
export function freshness(changedAt: Date, signature: string, now: Date): Freshness {
  const changedSecond = Math.floor(changedAt.getTime() / 1000);
  const settled = Math.floor(now.getTime() / 1000) > changedSecond;
  const step = signature === 'all' ? 0 : 1 + (crc32(signature) % 3599);
  const second = changedSecond - step - (settled ? 0 : 1);
  return { lastModified: new Date(second * 1000).toUTCString(), settled };
}
