export type Stability = 'dev' | 'alpha' | 'beta' | 'RC' | 'stable';

/** Composer knows no limit; ours keeps every rule below cheap and every version printable. */
export const versionCharactersMax = 200;

/**
 * What may stand behind the numbers, as the source of a regular expression with three groups (word, its number, dev):
 * `-beta.2`, `rc1`, `_p3`, `.dev`, `-RC1-dev`, or nothing.
 */
export const modifier = '[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)([.-]?\\d+(?:[.-]\\d+)*)?)?([.-]?dev)?';

const numbered = new RegExp(`^v?(\\d{1,5})(\\.\\d+)?(\\.\\d+)?(\\.\\d+)?${modifier}$`, 'i');
// Digits beyond these are read as Composer 2.6 and newer do; older clients refuse some of them (`100000.0.0`).
const dated = new RegExp(`^v?(\\d{4}(?:[.:-]?\\d{2}){1,6}(?:[.:-]?\\d{1,3}){0,2})${modifier}$`, 'i');
const numberedBranch = /^v?(\d+)(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?$/i;
const ending = new RegExp(`${modifier}(?:\\+.*)?$`, 'is');

const aliased = /^([^, \t]+) +as +([^, \t]+)$/;
const stabilityFlag = /@(?:stable|rc|beta|alpha|dev)$/i;
const withBuild = /^([^, \t+]+)\+[^ \t]+$/;

// Control characters and halves of surrogate pairs. Composer lets a few of them pass; terminals, headers and
// PostgreSQL's jsonb do not.
const unprintable = /[\p{Cc}\p{Cs}]/u;
const phpBlanks = /^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g;

/**
 * The form in which Composer compares versions: four numbers and perhaps a modifier (`v1.2-b2` → `1.2.0.0-beta2`), a
 * date (`2026-01-15` → `2026.01.15`) or a branch (`dev-main`). Two releases are the same when theirs are equal. Null
 * when Composer refuses the text; npm's prereleases (`1.0.0-1`) are among the refused.
 *
 * @see https://getcomposer.org/doc/articles/versions.md
 */
export function normalizeVersion(text: string): string | null {
  let version = printable(text, versionCharactersMax);
  if (version === null) return null;

  version = aliased.exec(version)?.[1] ?? version;
  version = version.replace(stabilityFlag, '');
  if (version === 'master' || version === 'trunk' || version === 'default') return `dev-${version}`;
  if (/^dev-/i.test(version)) return `dev-${version.slice(4)}`;
  version = withBuild.exec(version)?.[1] ?? version;

  const numbers = numbered.exec(version);
  if (numbers) {
    const [, major, minor = '.0', patch = '.0', build = '.0', word, number, dev] = numbers;
    return withModifier(`${major}${minor}${patch}${build}`, word, number, dev);
  }
  const date = dated.exec(version);
  if (date) {
    const [, digits = '', word, number, dev] = date;
    return withModifier(digits.replace(/\D/g, '.'), word, number, dev);
  }
  return /dev$/i.test(version) ? normalizeBranch(version.slice(0, -3).replace(/[.-]$/, '')) : null;
}

/** How stable a normalized version is. A patch (`1.0.0.0-patch1`) is stable. */
export function stabilityOf(version: string): Stability {
  const text = version.replace(/#.+$/s, '');
  if (text.startsWith('dev-') || text.endsWith('-dev')) return 'dev';
  const [, word, , dev] = ending.exec(text) ?? [];
  if (dev) return 'dev';
  switch (word?.toLowerCase()) {
    case 'b':
    case 'beta':
      return 'beta';
    case 'a':
    case 'alpha':
      return 'alpha';
    case 'rc':
      return 'RC';
    default:
      return 'stable';
  }
}

/** Whether a release belongs into `~dev.json`, which Composer reads only where dev versions are acceptable. */
export function isDevFile(normalized: string): boolean {
  return stabilityOf(normalized) === 'dev';
}

const stabilityRank: Record<Stability, number> = { dev: 0, alpha: 1, beta: 2, RC: 3, stable: 4 };

export function stabilityAtLeast(stability: Stability, minimum: Stability): boolean {
  return stabilityRank[stability] >= stabilityRank[minimum];
}

/**
 * Orders normalized versions as Composer sorts them: negative when `a` is older. A version control system's default
 * branch (`dev-master`, `dev-trunk`, `dev-default`) is newer than any number, other branches are older than any; the
 * branches among themselves, which Composer leaves unordered, go by their names.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const left = sortable(a);
  const right = sortable(b);
  if (!isBranch(left) || !isBranch(right)) return phpVersionCompare(left, right);
  return left === right ? 0 : left < right ? -1 : 1;
}

/** A sorted copy; the list holds normalized versions. */
export function newestFirst(versions: readonly string[]): string[] {
  return [...versions].sort((a, b) => compareVersions(b, a));
}

export function isBranch(normalized: string): boolean {
  return normalized.startsWith('dev-');
}

/**
 * PHP's `version_compare`, which decides in the client: dev < alpha < beta < RC < nothing < patch, numbers by size,
 * any other word below all of these.
 *
 * @see https://www.php.net/manual/en/function.version-compare.php
 */
export function phpVersionCompare(a: string, b: string): -1 | 0 | 1 {
  return compareParts(parts(a), parts(b));
}

/** The text without the blanks that PHP's trim takes off, or null when it is too long or holds control characters. */
export function printable(text: string, charactersMax: number): string | null {
  if (text.length > charactersMax) return null;
  const trimmed = text.replace(phpBlanks, '');
  return unprintable.test(trimmed) ? null : trimmed;
}

function withModifier(numbers: string, word?: string, number?: string, dev?: string): string {
  if (word === 'stable') return numbers;
  const suffix = word ? `-${fullWord(word)}${(number ?? '').replace(/^[.-]+/, '')}` : '';
  return `${numbers}${suffix}${dev ? '-dev' : ''}`;
}

function fullWord(word: string): string {
  const lower = word.toLowerCase();
  if (lower === 'a') return 'alpha';
  if (lower === 'b') return 'beta';
  if (lower === 'p' || lower === 'pl') return 'patch';
  return lower === 'rc' ? 'RC' : lower;
}

/** `1.2.x` → `1.2.9999999.9999999-dev`; null for a branch that is no number, which must be written `dev-name`. */
function normalizeBranch(name: string): string | null {
  const numbers = numberedBranch.exec(name.replace(phpBlanks, ''));
  if (!numbers) return null;
  const [, major, ...rest] = numbers;
  const wild = '.9999999';
  return `${major}${rest.map((part) => (part === undefined || /[x*]/i.test(part) ? wild : part)).join('')}-dev`;
}

function sortable(normalized: string): string {
  const isDefaultBranch = normalized === 'dev-master' || normalized === 'dev-trunk' || normalized === 'dev-default';
  return isDefaultBranch ? '9999999-dev' : normalized;
}

/** Words and numbers of a version, in PHP's reading: every other character, and every change of kind, parts them. */
function parts(version: string): string[] {
  return version.match(/\d+|[a-z]+/gi) ?? [];
}

function compareParts(a: string[], b: string[]): -1 | 0 | 1 {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const order = comparePart(a[i] as string, b[i] as string);
    if (order !== 0) return order;
  }
  if (a.length === b.length) return 0;
  // A longer version is newer if it goes on with a number or a patch, older if with `dev` to `RC`.
  return a.length > b.length ? comparePart(a[common] as string, '') : comparePart('', b[common] as string);
}

function comparePart(a: string, b: string): -1 | 0 | 1 {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (isNumber(a) && b === '') return 1;
  if (a === '' && isNumber(b)) return -1;
  return sign(rank(a) - rank(b));
}

const longMax = '9223372036854775807';

/** By size, without the rounding of doubles; PHP reads anything above 64 bits as the largest it can hold. */
function compareNumbers(a: string, b: string): -1 | 0 | 1 {
  const left = clamped(a);
  const right = clamped(b);
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  return left === right ? 0 : left < right ? -1 : 1;
}

function clamped(digits: string): string {
  const significant = digits.replace(/^0+(?=\d)/, '');
  if (significant.length < longMax.length) return significant;
  return significant.length > longMax.length || significant > longMax ? longMax : significant;
}

/** PHP tells words apart by how they begin, in this case only: `patch` counts as `p`, `foo` as nothing known. */
function rank(part: string): number {
  if (part === '' || isNumber(part)) return 4;
  if (part.startsWith('dev')) return 0;
  if (part.startsWith('a')) return 1;
  if (part.startsWith('b')) return 2;
  if (part.startsWith('RC') || part.startsWith('rc')) return 3;
  return part.startsWith('p') ? 5 : -1;
}

function isNumber(part: string): boolean {
  const first = part.charCodeAt(0);
  return first >= 48 && first <= 57;
}

function sign(difference: number): -1 | 0 | 1 {
  return difference < 0 ? -1 : difference > 0 ? 1 : 0;
}

/**
 * A normalised version as people read it: `1.2.0.0-beta1` → `1.2.0-beta1`. Composer's requests name the normalised one,
 * and the audit log should say what stands in a changelog; what has no fourth zero stays as it is.
 */
export function shortVersion(normalized: string): string {
  return normalized.replace(/^(\d+\.\d+\.\d+)\.0(?=-|$)/, '$1');
}
