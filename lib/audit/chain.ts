import { createHmac } from 'node:crypto';
import { type KeySet, openKeyedDigest } from '../kit/seal';
import { monthName } from './months';

/** Which key made a month's chain from which sequence on, oldest first. */
export type ChainKeys = { from: number; keyId: string }[];

/** What the first seal of a month is linked to; it binds the chain to its month. 32 bytes. */
export function genesis(key: KeySet, month: Date): Buffer {
  return createHmac('sha256', key.audit)
    .update(`genesis\n${monthName(month)}`)
    .digest();
}

/**
 * The mac of one event in its chain: HMAC-SHA-256 of `seal`, a line feed, the previous mac (32 bytes), the sequence (8
 * bytes, big endian) and the event's proof. The proof stands for the whole event, so sealing reads nothing else of it.
 *
 * NEVER CHANGE: every seal ever made is verified against it.
 */
export function link(key: KeySet, previous: Uint8Array, sequence: number, proof: Uint8Array | null): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(sequence));
  const mac = createHmac('sha256', key.audit).update('seal\n').update(previous).update(place);
  return (proof ? mac.update(proof) : mac).digest();
}

/** `link` for many events under one key, a character per byte. */
export function openLinker(key: KeySet): (previous: Uint8Array, sequence: number, proof: Uint8Array | null) => string {
  const digest = openKeyedDigest(key.audit, 'binary');
  const kind = Buffer.from('seal\n');
  const place = Buffer.alloc(8);
  const none = Buffer.alloc(0);
  return (previous, sequence, proof) => {
    place.writeBigUInt64BE(BigInt(sequence));
    return digest(kind, previous, place, proof ?? none);
  };
}

/** The key that sealed a sequence, by id; null where nothing says which. */
export function chainKeyAt(keys: ChainKeys, sequence: number): string | null {
  return keys.findLast((part) => part.from <= sequence)?.keyId ?? null;
}
