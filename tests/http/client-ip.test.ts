import { expect, test } from 'vitest';
import { clientIp, neighbourhood, parseRanges } from '../../lib/http/client-ip';

const proxies = parseRanges(['10.0.0.0/8', '::1']);

test('without trusted proxies the socket is the client, whatever a header says', () => {
  expect(clientIp('192.0.2.1', '203.0.113.7', [])).toBe('192.0.2.1');
  expect(clientIp('192.0.2.1', '203.0.113.7', proxies)).toBe('192.0.2.1');
});

test('behind trusted proxies the last address that none of them could have written counts', () => {
  expect(clientIp('10.0.0.1', '203.0.113.7', proxies)).toBe('203.0.113.7');
  expect(clientIp('::ffff:10.0.0.1', '1.2.3.4, 203.0.113.7, 10.0.0.2', proxies)).toBe('203.0.113.7');
  expect(clientIp('::1', 'unknown, nonsense', proxies)).toBe('::1');
});

test('a port that a proxy wrote behind the address is no part of it', () => {
  expect(clientIp('10.0.0.1', '203.0.113.7:51234', proxies)).toBe('203.0.113.7');
  expect(clientIp('10.0.0.1', '[2001:db8::1]:51234', proxies)).toBe('2001:db8::1');
  expect(clientIp('10.0.0.1', '2001:db8::1', proxies)).toBe('2001:db8::1');
});

test('one home of IPv6 is one place, however its addresses change', () => {
  expect(neighbourhood('2001:db8:1:2::1')).toBe(neighbourhood('2001:db8:1:2:ffff::9'));
  expect(neighbourhood('2001:db8:1:2::1')).not.toBe(neighbourhood('2001:db8:1:3::1'));
});
