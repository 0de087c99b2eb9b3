import { expect, onTestFinished, test } from 'vitest';
import { POST } from '../../app/api/stripe/webhook/route';
import { receiveNotice } from '../../lib/billing/inbox';
import { openDatabase } from '../../lib/db/client';
import { MINUTE } from '../../lib/kit/clock';
import type { App } from '../../lib/ports/app';
import type { SignedNotice } from '../support/stripe-stand-in';
import { aShop } from './a-shop';

test('a notice with a wrong, missing or old signature, or of the other mode, is refused and nothing stored', async () => {
  const { app, stripe } = await aShop();
  const { body, signature } = stripe.notice('charge.refunded', { id: 'ch_1' });
  const stale = stripe.notice('charge.refunded', { id: 'ch_1' }, { signedAt: new Date(Date.now() - 6 * MINUTE) });
  const live = stripe.notice('charge.refunded', { id: 'ch_1' }, { livemode: true });
  const changed = Buffer.from(body.toString().replace('ch_1', 'ch_2'));

  const refused = (code: string) => expect.objectContaining({ code });
  await expect(receiveNotice(app, changed, signature)).rejects.toEqual(refused('notice-unreadable'));
  await expect(receiveNotice(app, body, '')).rejects.toEqual(refused('notice-unreadable'));
  await expect(receiveNotice(app, body, 't=1,v1=00')).rejects.toEqual(refused('notice-unreadable'));
  await expect(receiveNotice(app, Buffer.alloc(0), signature)).rejects.toEqual(refused('notice-unreadable'));
  await expect(receiveNotice(app, stale.body, stale.signature)).rejects.toEqual(refused('notice-unreadable'));
  await expect(receiveNotice(app, live.body, live.signature)).rejects.toEqual(refused('notice-of-other-mode'));
  expect(await app.db.notice.count()).toBe(0);
});

test('a notice of a type that nothing depends on is stored and visibly ignored', async () => {
  const { app, stripe, hears } = await aShop();
  await hears(stripe.notice('customer.created', { id: 'cus_1' }));
  expect(await app.db.notice.findMany()).toMatchObject([{ type: 'customer.created', outcome: 'ignored', attempts: 1 }]);
  expect(stripe.requests).toEqual([]);
});

test('the webhook answers 200 once stored, 400 to what is not ours, 503 while the database is away', async () => {
  const { app, stripe } = await aShop();
  const notice = stripe.notice('customer.created', { id: 'cus_1' });
  const huge = { ...notice, body: Buffer.alloc(2 ** 20 + 1) };
  const answers = (world: App, posted: SignedNotice) => posting(world, posted).then(({ status }) => status);

  expect(await answers(app, notice)).toBe(200);
  expect(await answers(app, notice)).toBe(200);
  expect(await answers(app, { ...notice, signature: 't=1,v1=00' })).toBe(400);
  expect(await answers(app, huge)).toBe(400);
  expect(await app.db.notice.count()).toBe(1);

  const nowhere = openDatabase('postgresql://postgres@127.0.0.1:1/nowhere');
  onTestFinished(() => nowhere.close());
  expect(await answers({ ...app, db: nowhere.db }, notice)).toBe(503);
});

/** As the front door leaves an App for Next's routes. */
function posting(app: App, { body, signature }: SignedNotice): Promise<Response> {
  globalThis.latchkeyRunning = Promise.resolve({ app, composer: undefined as never });
  onTestFinished(() => {
    globalThis.latchkeyRunning = undefined;
  });
  const headers = { 'stripe-signature': signature };
  const url = 'http://localhost:3000/api/stripe/webhook';
  return POST(new Request(url, { method: 'POST', headers, body: new Uint8Array(body) }));
}
