import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SHAPE = /^lk_live_[0-9A-Za-z]{38}$/;

/** NEVER CHANGE: customers' auth.json files and secret scanners everywhere rely on it. */
export const SECRET_PREFIX = 'lk_live_';

/**
 * A credential's secret in clear. It prints as `[secret]` wherever text is made of it; only `reveal` gives the
 * characters, so a search for that word lists every place that handles them.
 */
export class Secret {
  readonly #characters: string;

  constructor(characters: string) {
    this.#characters = characters;
  }

  reveal(): string {
    return this.#characters;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** CRC-32 (ISO-HDLC) of the ASCII bytes in six base62 digits, most significant first. Form: contract.md, Secret. */
export function secretChecksum(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let place = 0; place < 6; place++) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

export function newSecret(): Secret {
  let random = '';
  while (random.length < 32) {
    // 248 is the largest multiple of 62 in a byte; higher values would favour the first characters.
    for (const byte of randomBytes(48)) {
      if (byte < 248 && random.length < 32) random += BASE62[byte % 62];
    }
  }
  const body = SECRET_PREFIX + random;
  return new Secret(body + secretChecksum(body));
}

/** What a presented text is, before any database is asked: ours and well-formed, ours but mistyped, or not of our form. */
export function secretForm(presented: string): 'ours' | 'mistyped' | 'foreign' {
  if (!presented.startsWith(SECRET_PREFIX)) return 'foreign';
  if (!SHAPE.test(presented)) return 'mistyped';
  return secretChecksum(presented.slice(0, 40)) === presented.slice(40) ? 'ours' : 'mistyped';
}

/** Anything of a secret's form inside a text, replaced: users paste secrets into usernames, paths and agents. */
export function maskSecrets(text: string): string {
  return text.includes(SECRET_PREFIX) ? text.replace(/lk_live_[0-9A-Za-z]*/g, 'lk_live_[masked]') : text;
}
