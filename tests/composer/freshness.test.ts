import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freshness } from '../../lib/composer/freshness';

const at = (ms: number) => new Date(Date.UTC(2026, 10, 22, 10) + ms);

test('Last-Modified is a plain HTTP date that moves with every later change', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e9 }),
      fc.integer({ min: 1_000, max: 1e9 }),
      fc.string(),
      (first, gap, limits) => {
        const before = freshness(at(first), limits, at(first + gap));
        const after = freshness(at(first + gap), limits, at(first + gap + 5_000));
        expect(Date.parse(after.lastModified)).toBeGreaterThan(Date.parse(before.lastModified));
        expect(new Date(before.lastModified).toUTCString()).toBe(before.lastModified);
      },
    ),
  );
});

test('a document of the second in which something changed is asked for again', () => {
  const during = freshness(at(200), 'all', at(300));
  const after = freshness(at(900), 'all', at(5_000));
  expect(during.settled).toBe(false);
  expect(after.settled).toBe(true);
  // The second change of that second would otherwise hide behind the first one's date.
  expect(after.lastModified).not.toBe(during.lastModified);
});

test('two views of the same package with different limits never share a date', () => {
  const limits = ['all', '* 1700000000000 dev', '^1.0 open dev', '^2.0 open dev', '* open stable'];
  const dates = limits.map((each) => freshness(at(0), each, at(60_000)).lastModified);
  expect(new Set(dates).size).toBe(limits.length);
});
