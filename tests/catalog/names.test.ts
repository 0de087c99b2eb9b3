import { expect, test } from 'vitest';
import { isPlatformName, parsePackageName, vendorOf } from '../../lib/catalog/names';
import vectors from '../fixtures/composer-vectors.json';

test.each(vectors.names)('$name: valid $valid, platform $platform, as Composer says', ({ name, valid, platform }) => {
  expect(isPlatformName(name)).toBe(platform);
  // Composer calls a platform name valid because one may require it; nobody can publish one.
  expect(parsePackageName(name)).toBe(valid && !platform ? name : null);
});

test('a package name cannot be a path, a platform or longer than 200 characters', () => {
  expect(parsePackageName(`acme/${'a'.repeat(195)}`)).toHaveLength(200);
  expect(parsePackageName(`acme/${'a'.repeat(196)}`)).toBeNull();
  for (const text of [
    '',
    '/',
    'acme/',
    '/forms',
    'acme/forms\n',
    'acme/forms\0',
    'acme/../forms',
    'äcme/forms',
    'com1/x',
  ]) {
    expect(parsePackageName(text)).toBeNull();
  }
});

test('the vendor is the half before the slash', () => {
  const name = parsePackageName('acme/forms-pro');
  expect(name && vendorOf(name)).toBe('acme');
});

// The path of every request is parsed as a name: a text that took seconds would stop the gate for everyone.
test('hostile names are refused in no time', () => {
  const started = performance.now();
  for (let i = 0; i < 1000; i++) {
    parsePackageName(`${'a'.repeat(190)}!`);
    parsePackageName(`a/${'a-'.repeat(98)}`);
    isPlatformName(`ext-${'a'.repeat(190)}!`);
    parsePackageName('a'.repeat(1_000_000));
  }
  expect(performance.now() - started).toBeLessThan(500);
});
