import { createHmac } from 'node:crypto';
import type { KeyRing, KeySet } from '../kit/seal';
import { sameBytes } from '../kit/seal';

/** What shows that an event was written by this installation, and like this; 32 bytes. `json`: its canonical form. */
export function proofOf(key: KeySet, json: string | Uint8Array): Buffer {
  return createHmac('sha256', key.audit).update('event\n').update(json).digest();
}

/** True where any key of the ring made this proof: writers change keys at their own restarts, not all at one instant. */
export function proves(ring: KeyRing, proof: Uint8Array, json: string): boolean {
  return ring.all.some((key) => sameBytes(proofOf(key, json), proof));
}
