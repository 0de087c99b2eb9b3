import { randomBytes, randomFillSync, randomInt } from 'node:crypto';

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

/** As `newEventId`, for one writer of thousands a second: it counts the sequence itself, and takes a tenth of the time. */
export function openEventIds(): (instant: number) => string {
  // Two characters at a time: `toString(36)` of a small number costs as much as the rest of an id.
  const pairs = Array.from({ length: 1_296 }, (_, index) => index.toString(36).padStart(2, '0'));
  const random = new Uint16Array(4_096);
  let used = random.length;
  let instantSeen = -1;
  let prefix = '';
  let sequence = 0;
  // Ten random bits each, so that four of them keep the 40 bits of `newEventId`.
  const randomPair = () => pairs[(random[used++] ?? 0) & 1_023];
  return (instant) => {
    if (instant !== instantSeen) {
      instantSeen = instant;
      prefix = `evt_${instant.toString(36).padStart(9, '0')}`;
      sequence = 0;
    }
    if (used + 4 > random.length) {
      randomFillSync(random);
      used = 0;
    }
    const place = sequence++ % 46_656;
    const counted = `${LOWER[Math.floor(place / 1_296)]}${pairs[place % 1_296]}`;
    return `${prefix}${counted}${randomPair()}${randomPair()}${randomPair()}${randomPair()}`;
  };
}
