import { maskSecrets } from '../kit/secret';

/** Control characters and halves of surrogate pairs: PostgreSQL takes neither, and a terminal should not either. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const EACH_UNPRINTABLE = /[\p{Cc}\p{Cs}]/gu;

/** Far above what Composer sends; below what would let a stranger fill the log. In UTF-16 units. */
const LENGTH_MAX = 512;

/** Text from outside as the audit log may hold it: printable, secrets masked, at most 512 characters. */
export function cleaned(text: string): string {
  // First, so that no control character can stand inside a secret and hide it from the mask.
  const printable = UNPRINTABLE.test(text) ? text.replace(EACH_UNPRINTABLE, '') : text;
  const masked = maskSecrets(printable);
  return masked.length > LENGTH_MAX ? masked.slice(0, LENGTH_MAX).replace(EACH_UNPRINTABLE, '') : masked;
}

export function cleanedOrNull(text: string | null | undefined): string | null {
  return text == null ? null : cleaned(text);
}
