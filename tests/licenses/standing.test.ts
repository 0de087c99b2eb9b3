import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coverage, standing } from '../../lib/licenses/license';

const T0 = Date.UTC(2026, 0, 1);
const day = (n: number) => new Date(T0 + n * 86_400_000);
const NONE = {
  coveredUntil: null,
  suspendedAt: null,
  refundedAt: null,
  refundFailedAt: null,
  revokedAt: null,
  reinstatedAt: null,
};

test('a license is good at the last millisecond of its term and lapsed at the next', () => {
  const license = { ...NONE, coveredUntil: day(365) };
  expect(standing(license, day(365))).toBe('good');
  expect(standing(license, new Date(day(365).getTime() + 1))).toBe('lapsed');
});

test('the precedence is revoked, refunded, suspended, lapsed, good', () => {
  const all = { ...NONE, coveredUntil: day(1), suspendedAt: day(2), refundedAt: day(3), revokedAt: day(4) };
  expect([0, 1.5, 2, 3, 4].map((at) => standing(all, day(at)))).toEqual([
    'good',
    'lapsed',
    'suspended',
    'refunded',
    'revoked',
  ]);
});

test('an ending is left only by a later dated fact', () => {
  const refunded = { ...NONE, refundedAt: day(3) };
  expect(standing({ ...refunded, refundFailedAt: day(5) }, day(4))).toBe('refunded');
  expect(standing({ ...refunded, refundFailedAt: day(5) }, day(6))).toBe('good');
  expect(standing({ ...refunded, refundFailedAt: day(2) }, day(6))).toBe('refunded');
  const revoked = { ...NONE, revokedAt: day(3) };
  expect(standing({ ...revoked, reinstatedAt: day(4) }, day(5))).toBe('good');
  expect(standing({ ...revoked, refundFailedAt: day(4) }, day(5))).toBe('revoked');
});

test('whatever the facts, only a good license lets newer releases through, and an ended one lets none', () => {
  const fact = fc.option(fc.integer({ min: 0, max: 30 }).map(day), { nil: null });
  const facts = fc.record({
    coveredUntil: fact,
    suspendedAt: fact,
    refundedAt: fact,
    refundFailedAt: fact,
    revokedAt: fact,
    reinstatedAt: fact,
    lapse: fc.constantFrom('keep-versions', 'stop'),
  });
  fc.assert(
    fc.property(facts, fc.integer({ min: 0, max: 31 }).map(day), (license, at) => {
      const now = standing(license, at);
      const covers = coverage(license, at);
      if (now === 'good') expect(covers).toEqual({ until: null });
      else if (now === 'lapsed' && license.lapse === 'keep-versions')
        expect(covers).toEqual({ until: license.coveredUntil });
      else expect(covers).toBeNull();
    }),
  );
});
