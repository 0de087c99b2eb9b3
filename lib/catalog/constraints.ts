import { isBranch, modifier, normalizeVersion, phpVersionCompare, printable, stabilityOf } from './versions';

/** Composer knows no limit; ours keeps parsing cheap, since the splitting rules below look back and ahead. */
export const constraintCharactersMax = 500;

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';
type Bound = 'any' | { operator: Operator; version: string };

/** A version constraint, read: any of the groups has to match, a group matches if all of its bounds do. */
export type Constraint = { readonly text: string; readonly groups: readonly (readonly Bound[])[] };

/**
 * Reads a constraint as Composer's client does, with all its forms: `^1.2`, `~1.2.3`, `1.*`, `1.0 - 2.0`,
 * `>=1.0 <2.0 || dev-main`, `@stable`. Null for what Composer refuses, and for control characters.
 *
 * @see https://getcomposer.org/doc/articles/versions.md#writing-version-constraints
 */
export function parseConstraint(text: string): Constraint | null {
  const trimmed = printable(text, constraintCharactersMax);
  if (trimmed === null) return null;

  const groups: Bound[][] = [];
  for (const alternative of trimmed.split(/ *\|\|? */)) {
    const group: Bound[] = [];
    for (const term of alternative.split(between)) {
      const bounds = readTerm(term);
      if (bounds === null) return null;
      group.push(...bounds);
    }
    groups.push(group);
  }
  return { text: trimmed, groups: joinAdjacent(groups) };
}

/**
 * Whether a normalized version satisfies the constraint. A branch satisfies only its own name, `!=` and what allows
 * everything; ranges never hold branches. Stability is not looked at: `^1.0` holds `1.1.0.0-beta1` too.
 */
export function matches(constraint: Constraint, normalizedVersion: string): boolean {
  return constraint.groups.some((group) => group.every((bound) => holds(bound, normalizedVersion)));
}

function holds(bound: Bound, version: string): boolean {
  if (bound === 'any') return true;
  if (isBranch(version) || isBranch(bound.version)) {
    if (bound.operator === '!=') return version !== bound.version;
    return bound.operator === '==' && version === bound.version;
  }
  const order = phpVersionCompare(version, bound.version);
  switch (bound.operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

// A comma or a blank stands between two terms, unless the blank belongs to an operator (`>= 1.0`), to ` - ` or to
// ` as `. Where exactly Composer draws these lines decides what `1.0 , <2` means, so the lines are drawn as it does.
const between = /(?<!^|as|[=>< ,]) *(?<!-)[, ](?!-) *(?!,|as|$)/;

const aliased = /^([^, ]+) +as +([^, ]+)$/;
const flagged = /^([^, ]*?)@(stable|rc|beta|alpha|dev)$/i;
const withReference = /^(dev-[^, @]+?|[^, @]+?\.x-dev)#.+$/i;
const anything = /^(v)?[x*](\.[x*])*$/i;
const numberedWild = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.[xX*])+$/;
const compared = /^(<>|!=|>=?|<=?|==?)? *(.*)$/s;

// Four numbers and what may follow them; groups 1 to 4 numbers, 5 and 6 a word and its number, 7 dev, 8 `x-dev`.
const partial = `v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:\\.(\\d+))?(?:${modifier}|\\.([x*][.-]?dev))(?:\\+[^ ]+)?`;
const tilde = new RegExp(`^~${partial}$`, 'i');
const caret = new RegExp(`^\\^${partial}$`, 'i');
const hyphened = new RegExp(`^(${partial}) +- +(${partial})$`, 'i');
// The client looks for its upper-case `RC` in lower-cased text here, so a release candidate counts as bare.
const endsInModifier = new RegExp(`-${modifier.replace('|rc|', '|')}$`);

function readTerm(text: string): Bound[] | null {
  let term = aliased.exec(text)?.[1] ?? text;
  let flag: string | null = null;
  const flags = flagged.exec(term);
  if (flags) {
    term = flags[1] || '*';
    flag = flags[2] === 'stable' ? null : (flags[2] ?? null);
  }
  term = withReference.exec(term)?.[1] ?? term;

  const wild = anything.exec(term);
  if (wild) return wild[1] || wild[2] ? [{ operator: '>=', version: '0.0.0.0-dev' }] : ['any'];

  const fromTilde = tilde.exec(term);
  if (fromTilde) {
    const named = lastNamed(fromTilde) + (fromTilde[8] ? 1 : 0);
    return upward(term, fromTilde, Math.max(1, named - 1));
  }
  const fromCaret = caret.exec(term);
  if (fromCaret) {
    const [, major, minor, patch] = fromCaret;
    const leftmost = major !== '0' || minor === undefined ? 1 : minor !== '0' || patch === undefined ? 2 : 3;
    return upward(term, fromCaret, leftmost);
  }
  const numbers = numberedWild.exec(term);
  if (numbers) return wildcard(numbers);
  const span = hyphened.exec(term);
  if (span) return inclusive(span);
  return comparison(term, flag);
}

/** `~1.2` and `^1.2`: from the version itself, or its dev version where none is spelled out, to the next one up. */
function upward(term: string, numbers: RegExpExecArray, position: number): Bound[] | null {
  const isBare = !numbers[5] && !numbers[7] && !numbers[8];
  const low = normalizeVersion(term.slice(1) + (isBare ? '-dev' : ''));
  return range(low, next(numbers.slice(1, 5), position));
}

function wildcard(numbers: RegExpExecArray): Bound[] | null {
  const named = numbers.slice(1, 4);
  const position = lastNamed(numbers);
  const low = `${padded(named, position).join('.')}-dev`;
  const high = next(named, position);
  if (low === '0.0.0.0-dev') return high === null ? null : [{ operator: '<', version: high }];
  return range(low, high);
}

/** `1.0 - 2.0`: a second version spelled out to three numbers or with a modifier is included as such; `2.0` means 2.0.*. */
function inclusive(span: RegExpExecArray): Bound[] | null {
  const from = normalizeVersion(span[1] ?? '');
  const to = normalizeVersion(span[10] ?? '');
  if (from === null || to === null) return null;
  const low: Bound = { operator: '>=', version: span[6] || span[8] || span[9] ? from : `${from}-dev` };

  const isSpelledOut = (span[12] && span[13]) || span[15] || span[17] || span[18];
  if (isSpelledOut) return [low, { operator: '<=', version: to }];
  const high = next(span.slice(11, 15), span[12] ? 2 : 1);
  return high === null ? null : [low, { operator: '<', version: high }];
}

function comparison(term: string, flag: string | null): Bound[] | null {
  const [, sign = '=', text = ''] = compared.exec(term) ?? [];
  const version = normalizeVersion(text) ?? normalizeSuffixedBranch(text);
  if (version === null) return null;

  const operator = sign === '=' ? '==' : sign === '<>' ? '!=' : (sign as Operator);
  if (operator !== '==' && flag !== null && stabilityOf(version) === 'stable') {
    return [{ operator, version: `${version}-${flag}` }];
  }
  // `<2.0` must not hold 2.0-beta, and `>=2.0` must hold 2.0-dev.
  const isBare = !endsInModifier.test(text.toLowerCase()) && !text.startsWith('dev-');
  const takesDev = (operator === '<' || operator === '>=') && isBare;
  return [{ operator, version: takesDev ? `${version}-dev` : version }];
}

/** `feature-dev`, an old way to write `dev-feature`. */
function normalizeSuffixedBranch(text: string): string | null {
  return text.endsWith('-dev') && /^[0-9a-zA-Z./-]+$/.test(text) ? normalizeVersion(`dev-${text.slice(0, -4)}`) : null;
}

function range(low: string | null, high: string | null): Bound[] | null {
  if (low === null || high === null) return null;
  return [
    { operator: '>=', version: low },
    { operator: '<', version: high },
  ];
}

function lastNamed(numbers: RegExpExecArray): number {
  return numbers[4] ? 4 : numbers[3] ? 3 : numbers[2] ? 2 : 1;
}

function padded(numbers: readonly (string | undefined)[], position: number): string[] {
  return [0, 1, 2, 3].map((i) => (i < position ? (numbers[i] ?? '0') : '0'));
}

/** The first version after all those that begin with the first `position` numbers; null where PHP cannot count on. */
function next(numbers: readonly (string | undefined)[], position: number): string | null {
  const digits = padded(numbers, position);
  const last = digits[position - 1] ?? '0';
  if (last.length > 18) return null;
  digits[position - 1] = String(BigInt(last) + 1n);
  return `${digits.join('.')}-dev`;
}

/**
 * Joins `>=1 <2 || >=2 <3` to `>=1 <3`, as the client does. It saves no time here; but it changes what an upside-down
 * alternative (`>=1 <3 || >=3 <2`) holds, and we have to agree with the client on every constraint.
 */
function joinAdjacent(groups: Bound[][]): Bound[][] {
  const joined: Bound[][] = [];
  for (const group of groups) {
    const before = joined.at(-1);
    const [low, high] = before ?? [];
    const [nextLow, nextHigh] = group;
    const areAdjacent =
      before?.length === 2 &&
      group.length === 2 &&
      isBound(low, '>=') &&
      isBound(high, '<') &&
      isBound(nextLow, '>=') &&
      (isBound(nextHigh, '<') || isBound(nextHigh, '<=')) &&
      high.version === nextLow.version;
    if (areAdjacent) joined[joined.length - 1] = [low, nextHigh];
    else joined.push(group);
  }
  return joined;
}

function isBound(bound: Bound | undefined, operator: Operator): bound is Exclude<Bound, 'any'> {
  return bound !== undefined && bound !== 'any' && bound.operator === operator;
}
