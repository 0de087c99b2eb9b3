import { expect, test } from 'vitest';
import { auditFilter, auditLink, chartFilter, isNarrowed, readAsked } from '../../app/console/audit/asked';
import { DAY } from '../../lib/kit/clock';

const NOW = new Date('2026-11-22T10:00:00Z');
const query = (url: string) => Object.fromEntries(new URL(url, 'http://own.example').searchParams);

test('a search is its URL: what is read from it leads back to it', () => {
  const url =
    '/console/audit?range=24h&verdict=refused&action=metadata.read&customer=anna%40example.com&package=acme%2Fforms&event=evt_1';
  const asked = readAsked(query(url));
  expect(auditLink(asked, { event: asked.event })).toBe(url);
  expect(readAsked(query(auditLink(asked)))).toEqual({ ...asked, event: null });
  expect(isNarrowed(asked)).toBe(true);
  expect(auditLink(readAsked({}))).toBe('/console/audit');
});

test('another search begins at its first page, with nothing open', () => {
  const asked = readAsked({ cursor: 'abc', event: 'evt_1', ip: '203.0.113.7' });
  expect(auditLink(asked, { verdict: 'refused' })).toBe('/console/audit?verdict=refused&ip=203.0.113.7');
});

test('what cannot be read in the URL is as good as absent', () => {
  const asked = readAsked({
    range: 'constructor',
    verdict: 'maybe',
    action: 'license.eaten',
    since: 'yesterday',
    username: '  ',
    ip: ['203.0.113.7', 'x'],
  });
  expect(asked).toMatchObject({ range: '7d', verdict: null, action: null, since: null, by: { ip: '203.0.113.7' } });
});

test('dates from a browser field are UTC, and count only between two times', () => {
  const between = readAsked({ range: 'custom', since: '2026-11-20T08:30', until: '2026-11-21T00:00:00+01:00' });
  expect(auditFilter(between, null, NOW)).toMatchObject({
    since: new Date('2026-11-20T08:30:00Z'),
    until: new Date('2026-11-20T23:00:00Z'),
  });
  const lastDay = readAsked({ range: '24h', since: '2026-11-20T08:30', license: 'lic_1' });
  expect(auditFilter(lastDay, 'cus_1', NOW)).toMatchObject({
    since: new Date(NOW.getTime() - DAY),
    until: null,
    licenseId: 'lic_1',
    customerId: 'cus_1',
  });
});

test('the chart has two ends even where the search has none', () => {
  const all = chartFilter(auditFilter(readAsked({ range: 'all' }), null, NOW), NOW);
  expect([all.since, all.until]).toEqual([new Date(NOW.getTime() - 90 * DAY), NOW]);
  const backwards = readAsked({ range: 'custom', since: '2026-11-21T00:00Z', until: '2026-11-20T00:00Z' });
  const turned = chartFilter(auditFilter(backwards, null, NOW), NOW);
  expect(turned.since < turned.until).toBe(true);
});
