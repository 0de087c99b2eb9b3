import { expect, test } from 'vitest';
import { receiveNotice } from '../../lib/billing/inbox';
import { retryWaitingNotices } from '../../lib/billing/notices';
import { settlePurchase } from '../../lib/billing/purchases';
import { findLicense } from '../../lib/licenses/find';
import type { LicenseIssued } from '../../lib/mail/messages';
import { lookForDueWork } from '../../lib/worker/schedule';
import { aShop } from './a-shop';

const ANNA = 'anna@shop.example';

test('a paid order becomes one license, one credential that opens it, and one mail with a sealed secret', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { session } = stripe.buys({
    email: 'Anna@Shop.example',
    name: 'Anna',
    lines: [{ price: await sells('forms') }],
  });

  const [notice] = stripe.notices.splice(0);
  await receiveNotice(app, notice!.body, notice!.signature);
  await settlePurchase(app, session.id);

  const mail = await app.db.mail.findFirstOrThrow();
  expect(mail.sealed).not.toBeNull();
  const credential = await app.db.credential.findFirstOrThrow();
  expect(mail.props).toMatchObject({
    licenses: [{ productName: 'forms', packages: ['acme/forms'] }],
    credentials: [{ username: credential.username }],
    bindTo: null,
  });
  expect(JSON.stringify(mail)).not.toContain('lk_live_');
  expect(await state()).toEqual({
    licenses: [{ product: 'forms', unit: 1, standing: 'good', credentials: 1 }],
    credentials: [['forms 1']],
    mails: [{ kind: 'license-issued', to: ANNA }],
    tasks: [],
    purchases: [{ amountMinor: 9_900, refundedMinor: 0 }],
  });
  await hears();
  expect(await app.db.notice.findMany()).toMatchObject([{ outcome: 'handled', attempts: 1 }]);
  const actions = await app.db.auditEvent.findMany({ select: { action: true, actor: true } });
  expect(actions.filter(({ actor }) => actor === 'stripe').map(({ action }) => action)).toEqual(
    expect.arrayContaining(['customer.created', 'purchase.paid', 'license.issued', 'credential.issued']),
  );
});

test('the k-th credential of an order opens the k-th unit of every line', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const [forms, theme] = [await sells('forms'), await sells('theme')];
  stripe.buys({
    email: ANNA,
    lines: [
      { price: forms, quantity: 3 },
      { price: theme, quantity: 2 },
    ],
  });

  await hears();

  const { licenses, credentials, mails } = await state();
  expect(licenses).toHaveLength(5);
  expect(credentials).toEqual([['forms 1', 'theme 1'], ['forms 2', 'theme 2'], ['forms 3']]);
  expect(mails).toEqual([{ kind: 'license-issued', to: ANNA }]);
});

test('an order of more lines than one page of Stripe holds loses none', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const prices = [];
  for (let number = 1; number <= 12; number++) prices.push(await sells(`part-${number}`));
  stripe.buys({ email: ANNA, lines: prices.map((price) => ({ price })) });

  await hears();

  expect((await state()).licenses).toHaveLength(12);
  expect((await state()).credentials).toHaveLength(1);
});

test('a buyer who already holds a working credential is led to bind the one they have', async () => {
  const { app, stripe, sells, hears } = await aShop();
  stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  await hears();
  const held = await app.db.credential.findFirstOrThrow();

  stripe.buys({ email: ANNA, lines: [{ price: await sells('theme') }] });
  await hears();

  const mails = await app.db.mail.findMany({ orderBy: { createdAt: 'asc' } });
  const bindings = mails.map((mail) => (mail.props as unknown as LicenseIssued).bindTo?.credentialId ?? null);
  expect(bindings.sort()).toEqual([held.id, null].sort());
  expect(await app.db.customer.count()).toBe(1);
});

test('the same order told again, twice at once and under another notice is settled once', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { session } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms'), quantity: 2 }] });
  const [first] = stripe.notices.splice(0);
  const again = stripe.notice('checkout.session.async_payment_succeeded', session);

  const outcomes = await Promise.all([
    receiveNotice(app, first!.body, first!.signature),
    receiveNotice(app, first!.body, first!.signature),
  ]);
  await Promise.all([settlePurchase(app, session.id), settlePurchase(app, session.id)]);
  await hears(first!, again, first!);

  expect(outcomes.sort()).toEqual(['seen', 'stored']);
  expect(await state()).toMatchObject({
    licenses: [{ unit: 1 }, { unit: 2 }],
    credentials: [['forms 1'], ['forms 2']],
    mails: [{ kind: 'license-issued' }],
    purchases: [{}],
  });
});

test('nothing is handed over before the money is there', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const { session } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }], paymentStatus: 'unpaid' });
  await hears();
  expect(await state()).toMatchObject({ licenses: [], credentials: [], mails: [] });

  stripe.settlesPayment(session.id);
  await hears();
  expect(await state()).toMatchObject({ licenses: [{ standing: 'good' }], mails: [{ kind: 'license-issued' }] });
});

test('an order with nothing to pay is an order', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const price = await sells('forms');
  stripe.buys({ email: ANNA, lines: [{ price, discountMinor: 9_900 }], paymentStatus: 'no_payment_required' });
  await hears();
  expect(await state()).toMatchObject({ licenses: [{ standing: 'good' }], purchases: [{ amountMinor: 0 }] });
});

test.each(['unavailable', 'closed'] as const)(
  'while Stripe is %s nothing is done; when it is back, everything',
  { timeout: 60_000 },
  async (how) => {
    const { app, stripe, sells, hears, works, state } = await aShop();
    stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
    stripe.away(how);

    await hears();
    expect(await state()).toEqual({ licenses: [], credentials: [], mails: [], tasks: [], purchases: [] });
    expect(await app.db.notice.findMany()).toMatchObject([{ handledAt: null, attempts: 1 }]);

    stripe.back();
    expect(await retryWaitingNotices(app)).toBe(1);
    await works();
    expect(await state()).toMatchObject({
      licenses: [{ standing: 'good', credentials: 1 }],
      mails: [{ kind: 'license-issued' }],
    });
    expect(await retryWaitingNotices(app)).toBe(0);
  },
);

test('a line that no product sells is kept and asked about, and settled once its price is linked', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const stray = stripe.sells({ name: 'Add-on', amountMinor: 1_000 });
  stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }, { price: stray }] });
  await hears();
  expect(await state()).toMatchObject({ licenses: [{ product: 'forms' }], tasks: ['unknown-product'] });
  expect(await app.db.purchaseLine.findMany({ where: { productId: null } })).toHaveLength(1);

  const { productId } = await app.db.price.findFirstOrThrow();
  await app.db.price.create({
    data: { id: 'pri_stray', stripePriceId: stray.id, productId, createdAt: app.clock.now() },
  });
  await lookForDueWork(app);

  expect(await state()).toMatchObject({
    licenses: [{ credentials: 1 }, { credentials: 1 }],
    mails: [{ kind: 'license-issued' }, { kind: 'license-issued' }],
    tasks: [],
  });
});

test('money for something that nobody here sells makes no customer, only a question', async () => {
  const { app, stripe, hears, state } = await aShop();
  stripe.buys({ email: ANNA, lines: [{ price: stripe.sells({ name: 'A course', amountMinor: 5_000 }) }] });
  await hears();
  expect(await state()).toMatchObject({ licenses: [], mails: [], tasks: ['foreign-payment'], purchases: [] });
  expect(await app.db.customer.count()).toBe(0);
});

test('money for something unknown becomes an order once its price is linked to a product', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  await sells('forms');
  const linkedLater = stripe.sells({ name: 'Sold by a Payment Link', amountMinor: 5_000 });
  stripe.buys({ email: ANNA, lines: [{ price: linkedLater }] });
  await hears();
  expect(await state()).toMatchObject({ licenses: [], tasks: ['foreign-payment'] });

  const { productId } = await app.db.price.findFirstOrThrow();
  await app.db.price.create({
    data: { id: 'pri_later', stripePriceId: linkedLater.id, productId, createdAt: app.clock.now() },
  });
  await lookForDueWork(app);
  await lookForDueWork(app);

  expect(await state()).toMatchObject({
    licenses: [{ credentials: 1 }],
    mails: [{ kind: 'license-issued' }],
    tasks: [],
  });
});

test('a product named in the metadata of Stripe is sold without a price of ours', async () => {
  const { stripe, sells, hears, state } = await aShop();
  await sells('forms');
  const price = stripe.sells({ name: 'Forms', amountMinor: 100, productMetadata: { latchkey_product: 'prd_1' } });
  stripe.buys({ email: ANNA, lines: [{ price }] });
  await hears();
  expect((await state()).licenses).toMatchObject([{ product: 'forms', standing: 'good' }]);
});

test('a session that begins a subscription is one order, whose refund ends it', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const price = await sells('forms');
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price }], mode: 'subscription' });
  stripe.refunds({ chargeId });
  const [completed, ...refunded] = stripe.notices.splice(0);

  await hears(...refunded);
  await hears(completed!);

  expect(await state()).toMatchObject({ licenses: [{ standing: 'refunded', credentials: 0 }] });
  const license = await app.db.license.findFirstOrThrow();
  expect((await findLicense(app, license.id))?.purchase).toMatchObject({ amountMinor: 9_900, refundedMinor: 9_900 });
});
