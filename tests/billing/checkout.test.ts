import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pretendPayments, pretendWebhookSecret } from '../../lib/adapters/payments-pretend';
import { openProductCheckout } from '../../lib/billing/checkout';
import { receiveNotice } from '../../lib/billing/inbox';
import { describePretendCheckout, isPretend, payPretendCheckout } from '../../lib/billing/pretend';
import { refundOrder } from '../../lib/billing/refunds';
import { Secret } from '../../lib/kit/secret';
import { absolute, paths } from '../../lib/paths';
import { runDueJobs } from '../../lib/worker/run';
import { aTestApp } from '../support/test-app';
import { aShop } from './a-shop';

const ANNA = 'anna@shop.example';

test('Buy opens a session at Stripe with price, quantity, mail address, metadata and an invoice', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  await sells('forms');

  const { sessionId, url } = await openProductCheckout(app, { slug: 'forms', email: ANNA, quantity: 2 });

  expect(url).toContain(sessionId);
  const session = stripe.pays(sessionId, { email: ANNA }).session;
  expect(session).toMatchObject({
    amount_total: 19_800,
    customer_email: ANNA,
    metadata: { latchkey_product: 'prd_1' },
    invoice_creation: { enabled: true },
    success_url: 'http://localhost:3000/thank-you?session_id={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://localhost:3000/products/forms',
  });
  await hears();
  expect((await state()).licenses).toHaveLength(2);
});

test('Buy is refused with a sentence where there is nothing to sell, and while Stripe is away', async () => {
  const { app, stripe, sells } = await aShop();
  const price = await sells('forms');
  const order = { slug: 'forms', email: ANNA, quantity: 1 };
  const refusal = (code: string) => ({ code, message: expect.stringMatching(/\.$/) });
  await expect(openProductCheckout(app, { ...order, slug: 'nothing' })).rejects.toMatchObject(
    refusal('product-unknown'),
  );
  await expect(openProductCheckout(app, { ...order, quantity: 0 })).rejects.toMatchObject(refusal('quantity-refused'));
  await expect(openProductCheckout(app, { ...order, email: 'anna' })).rejects.toMatchObject(refusal('email-refused'));

  await openProductCheckout(app, order);
  await app.db.price.updateMany({ data: { stripePriceId: `${price.id}x` } });
  await expect(openProductCheckout(app, order)).rejects.toMatchObject(refusal('price-unknown'));
  stripe.away();
  await expect(openProductCheckout(app, order)).rejects.toMatchObject(refusal('payments-away'));
});

test('the pretend checkout sells and refunds through the real webhook, and tells again what was not taken', async () => {
  const webhook = await aWebhook();
  const app = await aTestApp({ mailer: { name: 'outbox', send: async () => ({ providerId: 'none' }) } });
  const webhookSecret = await pretendWebhookSecret(app.dataFolder);
  expect((await pretendWebhookSecret(app.dataFolder)).reveal()).toBe(webhookSecret.reveal());
  app.payments = pretendPayments({
    mode: 'demo',
    folder: join(app.dataFolder, 'pretend-stripe'),
    webhookSecret,
    checkoutUrl: (id) => absolute(app.env.appUrl, paths.pretendCheckout(id)),
    deliverTo: webhook.url,
    clock: app.clock,
    log: app.log,
  });
  webhook.answer = async (body, signature) => {
    await receiveNotice(app, body, signature);
    return 200;
  };
  const at = app.clock.now();
  await app.db.product.create({
    data: {
      id: 'prd_1',
      slug: 'forms',
      name: 'Forms',
      createdAt: at,
      changedAt: at,
      prices: {
        create: { id: 'pri_1', stripePriceId: 'price_forms', amountMinor: 9_900, currency: 'eur', createdAt: at },
      },
    },
  });

  const { sessionId, url } = await openProductCheckout(app, { slug: 'forms', email: ANNA, quantity: 2 });
  expect(url).toBe(`http://localhost:3000/pretend-checkout/${sessionId}`);
  expect(await describePretendCheckout(app, sessionId)).toMatchObject({
    status: 'open',
    email: ANNA,
    amountMinor: 19_800,
    lines: [{ description: 'Forms', quantity: 2 }],
  });

  // The webhook is down while the buyer pays: the notice must not be lost.
  webhook.down = true;
  const paid = await payPretendCheckout(app, sessionId, { email: ANNA, name: 'Anna' });
  expect(paid.returnUrl).toBe(`http://localhost:3000/thank-you?session_id=${sessionId}`);
  expect(await payPretendCheckout(app, sessionId, { email: ANNA, name: 'Anna' })).toEqual(paid);
  webhook.down = false;
  expect(isPretend(app.payments) && (await app.payments.deliverWaiting())).toBe(0);
  await runDueJobs(app);
  expect(await app.db.license.count({ where: { refundedAt: null } })).toBe(2);
  expect(await app.db.notice.findMany()).toMatchObject([{ type: 'checkout.session.completed', outcome: 'handled' }]);

  const { id: purchaseId } = await app.db.purchase.findFirstOrThrow();
  await refundOrder(app, { purchaseId, by: { kind: 'cli' } });
  await runDueJobs(app);
  expect(await app.db.license.count({ where: { refundedAt: { not: null } } })).toBe(2);
  expect(await app.db.notice.count({ where: { outcome: 'handled' } })).toBe(3);
});

test('the pretend checkout does not start in production', () => {
  const settings = { folder: '/nowhere', webhookSecret: new Secret('whsec_1'), checkoutUrl: String, deliverTo: '' };
  const world = { clock: { now: () => new Date() }, log: { debug() {}, info() {}, warn() {}, error() {} } };
  expect(() => pretendPayments({ mode: 'production', ...settings, ...world })).toThrow('production');
});

/** The webhook's place in a running server. */
async function aWebhook() {
  const webhook = {
    url: '',
    down: false,
    answer: async (_body: Buffer, _signature: string): Promise<number> => 500,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const signature = String(request.headers['stripe-signature']);
    response.statusCode = webhook.down ? 503 : await webhook.answer(Buffer.concat(chunks), signature);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  webhook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/stripe/webhook`;
  return webhook;
}
