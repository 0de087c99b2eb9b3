import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matches, parseConstraint } from '../../lib/catalog/constraints';
import {
  compareVersions,
  isDevFile,
  newestFirst,
  normalizeVersion,
  shortVersion,
  stabilityAtLeast,
  stabilityOf,
} from '../../lib/catalog/versions';
import vectors from '../fixtures/composer-vectors.json';
import { type ComposerLibrary, theComposerLibrary } from '../support/composer-library';

function normalized(text: string): string {
  const version = normalizeVersion(text);
  if (version === null) throw new Error(`${text} is no version`);
  return version;
}

test.each(vectors.versions)('"$in" is normalized to $normalized', (vector) => {
  const version = normalizeVersion(vector.in);
  expect(version).toBe(vector.normalized);
  if (version === null) return;
  expect(stabilityOf(version)).toBe(vector.stability);
  expect(isDevFile(version)).toBe(vector.file === '~dev');
});

test('releases are listed newest first, as Composer sorts them', () => {
  const expected = vectors.rsort.map(normalized);
  expect(newestFirst([...expected].reverse())).toEqual(expected);
});

test.each(vectors.constraints)('the constraint "$in" holds what Composer says it holds', (vector) => {
  const constraint = parseConstraint(vector.in);
  if (vector.matches === null) {
    expect(constraint).toBeNull();
    return;
  }
  if (constraint === null) throw new Error('Composer accepts it');
  expect(vectors.constraint_versions.filter((version) => matches(constraint, normalized(version)))).toEqual(
    vector.matches,
  );
});

test('a minimum stability lets through what is at least as stable', () => {
  expect(stabilityAtLeast('RC', 'beta')).toBe(true);
  expect(stabilityAtLeast('beta', 'beta')).toBe(true);
  expect(stabilityAtLeast('alpha', 'beta')).toBe(false);
  expect(stabilityAtLeast('dev', 'stable')).toBe(false);
});

// Composer lets some of these pass; a version with a line break in it would be written into headers and logs.
test('control characters, half characters and endless texts are no versions and no constraints', () => {
  for (const text of ['dev-a\nb', 'dev-a\0b', 'dev-\ud800', `dev-${'a'.repeat(200)}`])
    expect(normalizeVersion(text)).toBeNull();
  for (const text of ['^1.0\n|| ^2.0', '>=\t1.0', `1.0${' || 1.0'.repeat(100)}`])
    expect(parseConstraint(text)).toBeNull();
  expect(normalizeVersion('\t1.0\n')).toBe('1.0.0.0');
});

test('hostile versions and constraints are refused in no time', () => {
  const started = performance.now();
  for (let i = 0; i < 100; i++) {
    normalizeVersion(`1.0-beta${'1'.repeat(180)}x`);
    normalizeVersion(`1.0-beta${'.1'.repeat(90)}x`);
    normalizeVersion(`2026${'01'.repeat(90)}x`);
    stabilityOf(`1.0-${'beta1.'.repeat(33)}`);
    parseConstraint(`1${' '.repeat(490)}x`);
    parseConstraint(`1${' - 1'.repeat(120)}`);
    parseConstraint(`^1${'.1'.repeat(240)}`);
    parseConstraint(`${'@'.repeat(490)}beta`);
  }
  expect(performance.now() - started).toBeLessThan(1000);
});

// From here on our rules stand beside Composer's own library. The two may differ only where its releases differ from
// each other: dates with more parts than 2.5 could read. The vectors above decide those.
let library: ComposerLibrary;
beforeAll(() => {
  library = theComposerLibrary();
});
afterAll(() => library.close());

const readDifferentlyByReleases = /\d{4}(?:[.:-]?\d{2})+(?:[.:-]?\d{1,3}){2}/;
const settled = (text: string) => !readDifferentlyByReleases.test(text);

const digits = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 12 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('00', '01', '007', '99999', '2026', '12345678901234567890') },
);
const separator = fc.constantFrom('', '-', '.', '_', '--', ' ');
const word = fc.constantFrom(
  'stable',
  'beta',
  'b',
  'RC',
  'rc',
  'alpha',
  'a',
  'patch',
  'pl',
  'p',
  'Beta',
  'STABLE',
  'foo',
);
const numbers = fc.array(digits, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
const suffix = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc.tuple(separator, word, separator, fc.option(digits, { nil: '' })).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('-dev', '.dev', 'dev', '-beta1-dev', '.x-dev', '.*-dev', '.X', '-1') },
);
const tail = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('+build', '+b.1-2', '@beta', '@dev', '@stable', '@RC', '#abc', ' as 1.0', ' ', '-dev'),
  },
);
const branch = fc.constantFrom(
  'dev-main',
  'dev-feature/x',
  'DEV-x',
  'master',
  'trunk',
  'main',
  'dev-',
  'foo-dev',
  'dev-ü',
  'dev-1.x',
);
const date = fc.constantFrom(
  '2026-01-15',
  '20260115',
  '2026.01.15.2',
  '2026-01-15-beta1',
  '202601',
  '2026:01:15',
  '2026-01-1',
);
const loose = fc.string({ unit: fc.constantFrom(...'v01.29-xX*devabRC@+# _'), maxLength: 12 });
const version = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constantFrom('', '', '', 'v', 'V'), numbers, suffix, tail).map((parts) => parts.join('')),
    },
    { weight: 1, arbitrary: branch },
    { weight: 1, arbitrary: date },
    { weight: 1, arbitrary: loose },
  )
  .filter(settled);

const operator = fc.constantFrom(
  '',
  '',
  '^',
  '~',
  '~>',
  '>=',
  '<=',
  '<',
  '>',
  '=',
  '==',
  '!=',
  '<>',
  '>= ',
  '< ',
  '^ ',
);
const wildcard = fc.constantFrom(
  '*',
  'x',
  'v*',
  '*.*',
  '1.*',
  '1.2.x',
  '0.*',
  '1.2.3.*',
  'v1.X',
  '1.*.*',
  '@dev',
  '@STABLE',
);
const term = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(operator, version).map((parts) => parts.join('')) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(numbers, suffix, fc.constantFrom(' - ', '  -  ', ' -'), numbers, suffix)
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: fc.tuple(wildcard, tail).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.nat({ max: 4 }).chain((low) => fc.nat({ max: 4 }).map((high) => `>=${low} <${high}`)) },
);
const joint = fc.constantFrom(' ', ',', ', ', ' , ', '||', ' || ', '|', ' | ', '  ');
const constraintText = fc
  .array(fc.tuple(term, joint), { minLength: 1, maxLength: 4 })
  .map((terms) => terms.flatMap(([text, glue], i) => (i === terms.length - 1 ? [text] : [text, glue])).join(''))
  .filter(settled);

const comparable = version.map(normalizeVersion).filter((text) => text !== null);
const runs = 3000;

test('any version is normalized, or refused, as by Composer itself', async () => {
  await fc.assert(
    fc.asyncProperty(version, async (text) => {
      expect(normalizeVersion(text)).toBe(await library.ask({ ask: 'normalize', version: text }));
    }),
    { numRuns: runs },
  );
});

test('any version is as stable as Composer itself says', async () => {
  await fc.assert(
    fc.asyncProperty(version, async (text) => {
      expect(stabilityOf(text)).toBe(await library.ask({ ask: 'stability', version: text }));
    }),
    { numRuns: runs },
  );
});

test('any two versions are ordered as Composer itself orders them', async () => {
  const defaultBranch = /^dev-(?:master|trunk|default)$/;
  await fc.assert(
    fc.asyncProperty(comparable, comparable, async (a, b) => {
      fc.pre(!(a.startsWith('dev-') && b.startsWith('dev-')));
      const [left, right] = [a, b].map((text) => text.replace(defaultBranch, '9999999-dev'));
      expect(compareVersions(a, b)).toBe(await library.ask({ ask: 'compare', a: left, b: right }));
    }),
    { numRuns: runs },
  );
});

test('any constraint is read, or refused, and holds the same versions as in Composer itself', async () => {
  await fc.assert(
    fc.asyncProperty(constraintText, fc.array(comparable, { maxLength: 6 }), async (text, some) => {
      const versions = [...some, ...vectors.constraint_versions.map(normalized)];
      const constraint = parseConstraint(text);
      const ours = constraint && versions.map((one) => matches(constraint, one));
      expect(ours).toEqual(await library.ask({ ask: 'matches', constraint: text, versions }));
    }),
    { numRuns: runs },
  );
});

test('a normalised version reads as people write it, and only the fourth zero is left out', () => {
  const read = [
    '1.2.0.0',
    '1.2.3.4',
    '1.0.0.0-beta1',
    '10.0.0.0',
    'dev-main',
    '1.9999999.9999999.9999999-dev',
    'nonsense',
  ];
  expect(read.map(shortVersion)).toEqual([
    '1.2.0',
    '1.2.3.4',
    '1.0.0-beta1',
    '10.0.0',
    'dev-main',
    '1.9999999.9999999.9999999-dev',
    'nonsense',
  ]);
});
