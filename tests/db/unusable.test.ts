import { expect, test } from 'vitest';
import { openDatabase } from '../../lib/db/client';
import { databaseUnusable } from '../../lib/db/unusable';
import { freePort } from '../support/free-port';

test('a database that is not there is told in a sentence, without the password of its URL', async () => {
  const url = `postgresql://vendor:hunter2@127.0.0.1:${await freePort()}/latchkey`;
  const opened = openDatabase(url, []);
  const error = await opened.pool.query('select 1').catch((thrown: unknown) => thrown);
  await opened.close();

  const refused = databaseUnusable(error, url);

  expect(refused?.message).toMatch(/^The database at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/);
  expect(refused?.message).not.toContain('hunter2');
});

test('a mistake in a query is a bug and stays one', () => {
  expect(databaseUnusable(Object.assign(new Error('column "x" does not exist'), { code: '42703' }), '')).toBe(null);
});
