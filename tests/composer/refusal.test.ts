import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  gone,
  notFound,
  paymentRequired,
  REFUSAL_BYTES_MAX,
  refusalBody,
  unauthorized,
} from '../../lib/composer/refusal';

test('every sentence fits into what an old Composer shows, whatever the names in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.webUrl(), (name, url) => {
      for (const refusal of [
        unauthorized('no-credential', url),
        paymentRequired('license-refunded', new Date(0), name),
        paymentRequired('newer-than-term', new Date(0), name),
        notFound('unknown-package', name),
        gone(name, name),
      ]) {
        const body = refusalBody(url, refusal);
        expect(body.length).toBeLessThanOrEqual(REFUSAL_BYTES_MAX);
        const { warning } = JSON.parse(body.toString('utf8')) as { warning: string };
        expect(warning).not.toMatch(/[<>\p{Cc}]/u);
      }
    }),
  );
});

test('a short sentence is followed by where to go on', () => {
  const refused = paymentRequired('license-refunded', new Date('2026-11-22T10:00:00Z'), 'acme/forms 2.1.0');
  expect(JSON.parse(refusalBody('https://shop.example', refused).toString())).toEqual({
    warning:
      'acme/forms 2.1.0: the license was refunded on 22 November 2026 and access ended. Details: https://shop.example/dashboard',
  });
});

test('the reason of a withdrawal ends with one full stop, whoever wrote it how', () => {
  for (const why of ['It sends mails twice.', 'It sends mails twice', 'It sends mails twice. ']) {
    expect(gone('acme/forms 2.1.0', why).sentence).toBe(
      'acme/forms 2.1.0 was withdrawn: It sends mails twice. Run composer update for another version.',
    );
  }
});
