import { randomBytes, randomInt } from 'node:crypto';

/** What each kind of id begins with; an id tells its kind wherever it turns up. */
export type IdPrefix =
  | 'adv'
  | 'alr'
  | 'cus'
  | 'crd'
  | 'dsp'
  | 'evt'
  | 'exp'
  | 'inv'
  | 'lic'
  | 'mem'
  | 'mol'
  | 'pkg'
  | 'prd'
  | 'pri'
  | 'pul'
  | 'pur'
  | 'ref'
  | 'rel'
  | 'req'
  | 'ses'
  | 'src'
  | 'stf'
  | 'sub'
  | 'tsk'
  | 'usr';

const LOWER = '0123456789abcdefghijklmnopqrstuvwxyz';

/** `length` characters of `[0-9a-z]`, uniform. */
export function randomLower(length: number): string {
  let text = '';
  while (text.length < length) {
    // 252 is the largest multiple of 36 in a byte; higher values would favour the first characters.
    for (const byte of randomBytes(length * 2)) {
      if (byte < 252 && text.length < length) text += LOWER[byte % 36];
    }
  }
  return text;
}

/** A new id such as `lic_4k0x…`: 16 random characters (82 bits). */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomLower(16)}`;
}

/**
 * An audit event's id: 9 characters of time, 3 of sequence within the millisecond, 8 random, so that ids made by one
 * writer sort in the order of its events. Cheap enough for the hot path.
 */
export function newEventId(instant: number, sequence = 0): string {
  const random = randomInt(2 ** 40)
    .toString(36)
    .padStart(8, '0');
  return `evt_${instant.toString(36).padStart(9, '0')}${(sequence % 46_656).toString(36).padStart(3, '0')}${random}`;
}
