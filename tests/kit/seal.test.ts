import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openKeyedDigest } from '../../lib/kit/seal';

// Every proof in the audit log is made with it and checked with createHmac: one bit of difference and each row looks forged.
test('the quick keyed digest is the HMAC-SHA-256 that everybody knows, whatever came before', () => {
  const bytes = fc.uint8Array({ maxLength: 9_000, size: 'max' });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.array(fc.tuple(bytes, bytes)), (key, messages) => {
      const digest = openKeyedDigest(key, 'hex');
      for (const [first, second] of messages) {
        const expected = createHmac('sha256', key).update(first).update(second).digest('hex');
        expect(digest(first, second)).toBe(expected);
      }
    }),
    { numRuns: 50 },
  );
});
