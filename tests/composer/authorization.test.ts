import { expect, test } from 'vitest';
import { readAuthorization } from '../../lib/composer/authorization';
import { newSecret } from '../../lib/kit/secret';

const OURS = newSecret().reveal();
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

test('a secret is read as Basic password, under the username token, and as Bearer', () => {
  expect(readAuthorization(basic(`lk-forms-1234abcd:${OURS}`))).toMatchObject({
    kind: 'ours',
    username: 'lk-forms-1234abcd',
  });
  expect(readAuthorization(basic(`token:${OURS}`))).toMatchObject({ kind: 'ours', username: null });
  expect(readAuthorization(`Bearer ${OURS}`)).toMatchObject({ kind: 'ours', username: null });
  expect(readAuthorization(`bearer ${OURS}`)).toMatchObject({ kind: 'ours', username: null });
});

test('a password may hold colons, as RFC 7617 allows', () => {
  const presented = readAuthorization(basic('old-customer:pa:ss:word'));
  expect(presented).toMatchObject({ kind: 'foreign', username: 'old-customer' });
  expect(presented.kind === 'foreign' && presented.secret.reveal()).toBe('pa:ss:word');
});

test('a mistyped secret of ours is told apart without a database', () => {
  const mistyped = OURS.slice(0, 20) + (OURS[20] === 'a' ? 'b' : 'a') + OURS.slice(21);
  expect(readAuthorization(basic(`lk-forms-1234abcd:${mistyped}`))).toEqual({
    kind: 'malformed',
    username: 'lk-forms-1234abcd',
  });
  expect(readAuthorization(`Bearer ${mistyped}`)).toEqual({ kind: 'malformed', username: null });
  expect(readAuthorization(`Bearer ${OURS.slice(0, -1)}`)).toEqual({ kind: 'malformed', username: null });
});

test.each([
  ['nothing', undefined, 'nothing'],
  ['an empty header', '', 'nothing'],
  ['another scheme', 'Digest username="x"', 'malformed'],
  ['a scheme alone', 'Basic', 'malformed'],
  ['no colon', basic('just-a-name'), 'malformed'],
  ['an empty password', basic('somebody:'), 'malformed'],
  ['a NUL in the username', basic('some\u0000body:x'), 'malformed'],
  ['a username without end', basic(`${'x'.repeat(5_000)}:y`), 'malformed'],
  ['no base64', 'Basic %%%%', 'malformed'],
])('%s is read as it is meant', (_, header, kind) => {
  expect(readAuthorization(header).kind).toBe(kind);
});

test('a presented secret prints nothing of itself', () => {
  expect(JSON.stringify(readAuthorization(`Bearer ${OURS}`))).not.toContain(OURS);
});
