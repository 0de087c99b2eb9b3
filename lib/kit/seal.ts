import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

const HASH_BLOCK_BYTES = 64;

/** One `APP_KEY` cut into the keys that are used; none of them tells another. */
export interface KeySet {
  /** 8 hex characters that name the key beside what was made with it. */
  id: string;
  sealing: Buffer;
  digest: Buffer;
  audit: Buffer;
  /** Signs links, tokens and cookies of our own. */
  signing: Buffer;
}

/** The current key first, then those of `APP_KEYS_OLD`, newest first. */
export interface KeyRing {
  current: KeySet;
  all: readonly KeySet[];
}

export function keySet(appKey: Buffer): KeySet {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', appKey, 'latchkey', purpose, 32));
  return {
    id: createHash('sha256').update(derive('id')).digest('hex').slice(0, 8),
    sealing: derive('sealing'),
    digest: derive('digest'),
    audit: derive('audit'),
    signing: derive('signing'),
  };
}

export function keyRing(appKey: Buffer, olderKeys: readonly Buffer[] = []): KeyRing {
  const current = keySet(appKey);
  return { current, all: [current, ...olderKeys.map(keySet)] };
}

export function keyNamed(ring: KeyRing, id: string): KeySet | null {
  return ring.all.find((key) => key.id === id) ?? null;
}

/**
 * Seals a text with AES-256-GCM. `context` is bound into the seal: what was sealed for one row cannot be opened in
 * the name of another.
 *
 * @returns `keyId.base64(nonce, tag, ciphertext)`
 */
export function seal(ring: KeyRing, text: string, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', ring.current.sealing, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `${ring.current.id}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}`;
}

/** @returns the text, or null where the key is gone, the context differs or a bit was changed. */
export function open(ring: KeyRing, sealed: string, context: string): string | null {
  const [keyId, body] = sealed.split('.');
  const key = keyId ? keyNamed(ring, keyId) : null;
  if (!key || !body) return null;
  const bytes = Buffer.from(body, 'base64');
  if (bytes.length < 28) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.sealing, bytes.subarray(0, 12)).setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    // GCM says only that something does not fit; which of the three it was must not be told apart.
    return null;
  }
}

/** HMAC-SHA-256 of a text under one purpose's key; 32 bytes. */
export function keyedDigest(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/**
 * HMAC-SHA-256 (RFC 2104) of many messages under one key of at most 64 bytes, as hex or with a character per byte. Two
 * one-shot hashes over a buffer that is kept take half the time of `createHmac`, and every audit event needs two digests.
 * `parts` are one message.
 */
export function openKeyedDigest(key: Uint8Array, as: 'hex' | 'binary'): (...parts: Uint8Array[]) => string {
  let inner = Buffer.alloc(4_096, 0x36);
  const outer = Buffer.alloc(HASH_BLOCK_BYTES + 32, 0x5c);
  for (const [index, byte] of key.entries()) {
    inner[index] = 0x36 ^ byte;
    outer[index] = 0x5c ^ byte;
  }
  return (...parts) => {
    let end = HASH_BLOCK_BYTES;
    for (const part of parts) {
      if (end + part.length > inner.length) inner = Buffer.concat([inner.subarray(0, end)], 2 * (end + part.length));
      inner.set(part, end);
      end += part.length;
    }
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), HASH_BLOCK_BYTES, 'binary');
    return hash('sha256', outer, as);
  };
}

/** SHA-256 as bytes: for finding a random token again without storing it. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Equality in time that does not depend on the contents; different lengths are unequal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
