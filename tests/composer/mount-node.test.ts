import { expect, test } from 'vitest';
import { isComposerPath, splitTarget } from '../../lib/composer/mount-node';

// Next resolves these to its own mount of the data plane, which believes X-Forwarded-For: whoever got there could write
// any address into the audit log and pass a credential's address list.
test.each([
  '/./composer/packages.json',
  '/x/../composer/p2/acme/forms.json',
  '/%2e/composer/packages.json',
  '/x/%2E%2e/composer/packages.json',
  '/x\\..\\composer\\packages.json',
  '/_next/../composer',
])('the front door keeps %s to itself', (target) => {
  expect(isComposerPath(splitTarget(target).path)).toBe(true);
});

test('the front door leaves pages to Next', () => {
  for (const path of [
    '/',
    '/composers',
    '/docs/composer',
    '/products/composer',
    '/composer.json',
    '/_next/static/a.js',
  ])
    expect(isComposerPath(path)).toBe(false);
  expect(isComposerPath('/composer')).toBe(true);
  expect(isComposerPath('/composer/packages.json')).toBe(true);
});
