import { expect, test } from 'vitest';
import { readEnv } from '../../lib/kit/env';

const KEY = Buffer.alloc(32).toString('base64');

test('with nothing set it is a demo on the loopback; with a database it is production and wants its secrets', () => {
  expect(readEnv({})).toMatchObject({
    mode: 'demo',
    host: '127.0.0.1',
    port: 3000,
    appUrl: 'http://localhost:3000',
    loadDemo: true,
  });
  expect(() => readEnv({ DATABASE_URL: 'postgres://x/y' })).toThrow(/Production mode needs APP_KEY/);
  const production = { DATABASE_URL: 'postgres://x/y', APP_KEY: KEY, LATCHKEY_ROLE: 'gate' };
  expect(readEnv(production)).toMatchObject({ mode: 'production', host: '0.0.0.0', loadDemo: false });
});

test.each([
  [{ PORT: 'web' }, /PORT/],
  [{ APP_KEY: 'short' }, /APP_KEY must be 32 bytes/],
  [{ TRUSTED_PROXIES: '10.0.0.0/8,nonsense' }, /"nonsense"/],
  [{ SNAPSHOT_MAX_AGE: '1 day' }, /SNAPSHOT_MAX_AGE/],
  [{ STRIPE_SECRET_KEY: 'sk_test_x' }, /STRIPE_WEBHOOK_SECRET is not/],
  [{ LATCHKEY_MODE: 'production' }, /needs DATABASE_URL/],
  [{ APP_URL: 'shop.example' }, /APP_URL/],
  [{ DATABASE_URL: 'db.example/latchkey' }, /DATABASE_URL must begin with postgresql:/],
])('%o is refused with a sentence that names what is wrong', (variables, sentence) => {
  expect(() => readEnv(variables)).toThrow(sentence);
});
