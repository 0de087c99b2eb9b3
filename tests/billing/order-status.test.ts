import { expect, test } from 'vitest';
import { openProductCheckout } from '../../lib/billing/checkout';
import { isSettled, maskedEmail, orderStatus } from '../../lib/billing/order-status';
import { aShop } from './a-shop';

test('the thank-you page knows an order from its first click to its licenses', async () => {
  const { app, stripe, sells, hears } = await aShop();
  const price = await sells('forms');

  expect(await orderStatus(app, 'cs_test_invented')).toEqual({ state: 'unknown' });

  await app.db.price.updateMany({ data: { amountMinor: 9_900, currency: 'eur' } });
  const open = await openProductCheckout(app, { slug: 'forms', email: null, quantity: 1 });
  expect(await orderStatus(app, open.sessionId)).toEqual({ state: 'unpaid', expired: false });

  const { session } = stripe.buys({ email: 'anna@shop.example', lines: [{ price, quantity: 2 }] });
  expect(await orderStatus(app, session.id)).toEqual({ state: 'confirming', packages: ['acme/forms'] });
  expect(await isSettled(app, session.id)).toBe(false);

  await hears();
  expect(await isSettled(app, session.id)).toBe(true);
  expect(await orderStatus(app, session.id)).toMatchObject({
    state: 'settled',
    email: 'anna@shop.example',
    licenses: [{ productName: 'forms' }, { productName: 'forms' }],
    packages: ['acme/forms'],
    refunded: false,
  });
});

test('a buyer who comes back while Stripe is away is told to wait, not that nothing is known', async () => {
  const { app, stripe, sells, hears } = await aShop();
  const { session } = stripe.buys({ email: 'anna@shop.example', lines: [{ price: await sells('forms') }] });
  stripe.away();
  expect(await orderStatus(app, session.id)).toEqual({ state: 'confirming', packages: [] });
  stripe.back();
  await hears();
  expect(await orderStatus(app, session.id)).toMatchObject({ state: 'settled' });
});

// The page may be opened by whoever got its address: neither it nor its polling may tell a secret.
test('what the page is told holds no secret and no username', async () => {
  const { app, stripe, sells, hears } = await aShop();
  const { session } = stripe.buys({ email: 'anna@shop.example', lines: [{ price: await sells('forms') }] });
  await hears();
  const told = JSON.stringify(await orderStatus(app, session.id));
  const { username } = await app.db.credential.findFirstOrThrow();
  expect(told).not.toContain(username);
  expect(told).not.toContain('lk_');
});

test('an address is masked so that its owner knows it and nobody learns it', () => {
  expect(maskedEmail('ada@shop.example')).toBe('a••@shop.example');
  expect(maskedEmail('a@shop.example')).toBe('a••@shop.example');
});
