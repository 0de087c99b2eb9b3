import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { keyRing, open, seal } from '../../lib/kit/seal';
import { maskSecrets, newSecret, secretChecksum, secretForm } from '../../lib/kit/secret';

test('the checksum is that of the published example', () => {
  expect(secretChecksum('lk_live_00000000000000000000000000000000')).toBe('4cjNQE');
  expect(secretForm('lk_live_000000000000000000000000000000004cjNQE')).toBe('ours');
});

test('a new secret has the published form, and one wrong character is noticed', () => {
  const characters = newSecret().reveal();
  expect(characters).toMatch(/^lk_live_[0-9A-Za-z]{38}$/);
  for (let place = 8; place < characters.length; place++) {
    const other = characters[place] === 'x' ? 'y' : 'x';
    expect(secretForm(characters.slice(0, place) + other + characters.slice(place + 1))).toBe('mistyped');
  }
});

test('a secret prints nothing of itself, however it is printed', () => {
  const secret = newSecret();
  for (const printed of [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }),
    `${secret}`,
    inspect(secret, { showHidden: true }),
  ]) {
    expect(printed).not.toContain(secret.reveal());
  }
  expect(maskSecrets(`curl -u x:${secret.reveal()}@host`)).toBe('curl -u x:lk_live_[masked]@host');
});

test('what is sealed opens only under its key and in its own name, also after the key was changed', () => {
  const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const sealed = seal(keyRing(first), 'the text', 'mal_1');
  expect(open(keyRing(first), sealed, 'mal_1')).toBe('the text');
  expect(open(keyRing(second, [first]), sealed, 'mal_1')).toBe('the text');
  expect(open(keyRing(first), sealed, 'mal_2')).toBeNull();
  expect(open(keyRing(second), sealed, 'mal_1')).toBeNull();
  expect(open(keyRing(first), `${sealed.slice(0, -4)}AAA=`, 'mal_1')).toBeNull();
});
