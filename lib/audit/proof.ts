import { createHmac } from 'node:crypto';
import type { KeyRing, KeySet } from '../kit/seal';
import { openKeyedDigest, sameBytes } from '../kit/seal';

/** What shows that an event was written by this installation, and like this; 32 bytes. `json`: its canonical form. */
export function proofOf(key: KeySet, json: string | Uint8Array): Buffer {
  return createHmac('sha256', key.audit).update('event\n').update(json).digest();
}

/** `proofOf` for many events under one key, as hex. */
export function openProver(key: KeySet): (json: Uint8Array) => string {
  const digest = openKeyedDigest(key.audit, 'hex');
  const kind = Buffer.from('event\n');
  return (json) => digest(kind, json);
}

/** True where any key of the ring made this proof: writers change keys at their own restarts, not all at one instant. */
export function proves(ring: KeyRing, proof: Uint8Array, json: string): boolean {
  return ring.all.some((key) => sameBytes(proofOf(key, json), proof));
}
