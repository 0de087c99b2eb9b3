import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { minify } from '../../lib/catalog/minify';
import vectors from '../fixtures/composer-vectors.json';
import { type ComposerLibrary, theComposerLibrary } from '../support/composer-library';

test('versions are minified as in the golden example', () => {
  expect(minify(vectors.minify.in)).toEqual(vectors.minify.out);
});

test('nothing in, nothing out', () => {
  expect(minify([])).toEqual([]);
});

let library: ComposerLibrary;
beforeAll(() => {
  library = theComposerLibrary();
});
afterAll(() => library.close());

test('any list is minified as by Composer itself, and expands to what it was', async () => {
  const require = fc.dictionary(fc.constantFrom('php', 'acme/lib', 'ext-json'), fc.constantFrom('^1.0', '*'), {
    minKeys: 1,
  });
  const document = fc.record(
    {
      name: fc.constant('acme/forms'),
      version: fc.string(),
      require,
      license: fc.constant(['MIT']),
      type: fc.constantFrom('a', 'b'),
    },
    { requiredKeys: ['name', 'version'] },
  );
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(document, { maxLength: 6, selector: (one) => one.version }), async (versions) => {
      const ours = minify(versions);
      expect(ours).toEqual(await library.ask({ ask: 'minify', versions }));
      expect(await library.ask({ ask: 'expand', versions: ours })).toEqual(versions);
    }),
    { numRuns: 500 },
  );
});
