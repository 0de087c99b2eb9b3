import { expect, test } from 'vitest';
import { clientIp, neighbourhood, parseRanges } from '../../lib/http/client-ip';
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
])('%o is refused with a sentence that names what is wrong', (variables, sentence) => {
  expect(() => readEnv(variables)).toThrow(sentence);
});

test('the client is the socket, unless a trusted proxy says otherwise', () => {
  const trusted = parseRanges(['10.0.0.0/8', '2001:db8::/32']);
  expect(clientIp('::ffff:203.0.113.7', '1.2.3.4', [])).toBe('203.0.113.7');
  expect(clientIp('203.0.113.7', '1.2.3.4', trusted), 'a stranger may write any header').toBe('203.0.113.7');
  expect(clientIp('10.0.0.1', '6.6.6.6, 198.51.100.9, 10.0.0.2', trusted)).toBe('198.51.100.9');
  expect(clientIp('10.0.0.1', 'nonsense', trusted)).toBe('10.0.0.1');
  expect(clientIp('2001:db8::1', '2a02::17', trusted)).toBe('2a02::17');
});

test('an IPv6 neighbourhood is its /64, an IPv4 one the address', () => {
  expect(neighbourhood('203.0.113.7')).toBe('203.0.113.7');
  expect(neighbourhood('2a02:1:2:3:4:5:6:7')).toBe(neighbourhood('2a02:1:2:3::1'));
  expect(neighbourhood('2a02:1:2:4::1')).not.toBe(neighbourhood('2a02:1:2:3::1'));
});
