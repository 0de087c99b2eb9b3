import { expect, test } from 'vitest';
import { settleMoneyBack } from '../../lib/billing/money-back';
import { refundOffer, refundOrder, settleRefunds } from '../../lib/billing/refunds';
import { DAY } from '../../lib/kit/clock';
import type { SignedNotice } from '../support/stripe-stand-in';
import { aShop, type Shop } from './a-shop';

const ANNA = 'anna@shop.example';

test('a full refund ends the license and says so in one mail', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  await hears();

  stripe.refunds({ chargeId });
  await hears();

  expect(await state()).toMatchObject({
    licenses: [{ standing: 'refunded', credentials: 1 }],
    mails: [{ kind: 'license-issued' }, { kind: 'license-refunded' }],
    tasks: [],
    purchases: [{ amountMinor: 9_900, refundedMinor: 9_900 }],
  });
  const events = await app.db.auditEvent.findMany({
    where: { action: { in: ['purchase.refunded', 'license.refunded'] } },
  });
  expect(events).toHaveLength(2);
});

test('a refund that arrives before its purchase gives a refunded license, no credential and no mail with a secret', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms'), quantity: 2 }] });
  stripe.refunds({ chargeId });

  await hears(...stripe.notices.splice(0).reverse());

  expect(await state()).toMatchObject({
    licenses: [{ standing: 'refunded' }, { standing: 'refunded' }],
    credentials: [],
    purchases: [{ refundedMinor: 9_900 * 2 }],
  });
  expect(await app.db.mail.findMany({ where: { sealed: { not: null } } })).toEqual([]);
  expect(await app.db.mail.findMany({ where: { kind: 'license-issued' } })).toEqual([]);
});

test('whatever the order and however often its notices come, an order ends in the same state', async () => {
  const told = async (tell: (shop: Shop, notices: SignedNotice[]) => Promise<void>, everyTime = false) => {
    const shop = await aShop();
    const { stripe, sells, hears, state } = shop;
    const [forms, theme] = [await sells('forms'), await sells('theme')];
    const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: forms }, { price: theme }] });
    await hears(stripe.notices[0]!);
    const step = async () => void (everyTime && (await hears(...stripe.notices)));
    stripe.refunds({ chargeId, amountMinor: 5_000 });
    await step();
    const failing = stripe.refunds({ chargeId, amountMinor: 14_800, status: 'pending' });
    await step();
    stripe.refundBecomes(failing.id, 'failed');
    await step();
    stripe.refunds({ chargeId });
    await tell(shop, stripe.notices.splice(0));
    return state();
  };

  const atOnce = await told(({ hears }, notices) => hears(...notices));
  expect(atOnce.licenses).toMatchObject([{ standing: 'refunded' }, { standing: 'refunded' }]);
  expect(atOnce.mails.map(({ kind }) => kind)).toEqual(['license-issued', 'license-refunded']);
  expect(await told(({ hears }, notices) => hears(...notices), true)).toEqual(atOnce);
  const backwards = async ({ hears }: Shop, notices: SignedNotice[]) => {
    for (const notice of [...notices, ...notices].reverse()) await hears(notice);
  };
  expect(await told(backwards)).toEqual(atOnce);
});

// Two notices are handled at once and the one that read Stripe first commits last: its reading is old by then.
test('an older reading of Stripe never overwrites a newer one', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  await hears();
  const { id: purchaseId } = await app.db.purchase.findFirstOrThrow();
  const refund = stripe.refunds({ chargeId, status: 'pending' });

  let readings = 0;
  await settleMoneyBack(app, purchaseId, async () => {
    const charge = await app.payments.charge(chargeId);
    const read = { charge: charge!, refunds: await app.payments.refundsOfCharge(chargeId), dispute: null };
    if (++readings === 1) {
      stripe.refundBecomes(refund.id, 'succeeded');
      await settleRefunds(app, { chargeId });
    }
    return read;
  });

  expect(readings).toBe(2);
  expect(await app.db.refund.findMany()).toMatchObject([{ status: 'succeeded' }]);
  expect(await state()).toMatchObject({ licenses: [{ standing: 'refunded' }] });
});

test('a partial refund changes nothing and asks the staff, until the order is refunded in full', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  stripe.refunds({ chargeId, amountMinor: 4_000 });
  await hears();
  expect(await state()).toMatchObject({
    licenses: [{ standing: 'good' }],
    mails: [{ kind: 'license-issued' }],
    tasks: ['partial-refund'],
    purchases: [{ refundedMinor: 4_000 }],
  });
  const task = await app.db.staffTask.findFirstOrThrow();
  expect(task.summary).toContain('€40 of €99');

  stripe.refunds({ chargeId });
  await hears();
  expect(await state()).toMatchObject({ licenses: [{ standing: 'refunded' }], tasks: [] });
});

test('the staff are asked about a partial refund again when the full one that followed fails', async () => {
  const { app, stripe, sells, hears } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  stripe.refunds({ chargeId, amountMinor: 1_000 });
  await hears();
  const rest = stripe.refunds({ chargeId });
  await hears();
  expect(await app.db.staffTask.count({ where: { resolvedAt: null } })).toBe(0);

  stripe.refundBecomes(rest.id, 'failed');
  await hears();

  expect(await app.db.staffTask.findMany({ where: { resolvedAt: null } })).toMatchObject([
    { kind: 'partial-refund', resolvedBy: null, resolution: null },
  ]);
});

test('a refund that names a license ends that one only', async () => {
  const { app, stripe, sells, hears } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms'), quantity: 2 }] });
  await hears();
  const first = await app.db.license.findFirstOrThrow({ where: { unit: 1 } });

  stripe.refunds({ chargeId, amountMinor: 9_900, metadata: { license_ids: first.id } });
  await hears();

  const licenses = await app.db.license.findMany({ orderBy: { unit: 'asc' } });
  expect(licenses.map((license) => license.refundedAt !== null)).toEqual([true, false]);
  expect(await app.db.staffTask.count()).toBe(0);
  expect(await app.db.mail.count({ where: { kind: 'license-refunded' } })).toBe(1);
});

test('a refund under way withholds; succeeded it ends, failed it lets go', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  const standingAfter = async (act: () => unknown) => {
    act();
    await hears();
    return (await state()).licenses[0]?.standing;
  };

  let refund = '';
  const begin = () => {
    refund = stripe.refunds({ chargeId, status: 'pending' }).id;
  };
  await hears();
  expect(await standingAfter(begin)).toBe('suspended');
  expect(await standingAfter(() => stripe.refundBecomes(refund, 'failed'))).toBe('good');
  expect(await standingAfter(begin)).toBe('suspended');
  expect(await standingAfter(() => stripe.refundBecomes(refund, 'succeeded'))).toBe('refunded');
  expect(await standingAfter(() => stripe.refundBecomes(refund, 'failed'))).toBe('good');
  expect(await standingAfter(begin)).toBe('suspended');
});

test('an order that was refunded on arrival is handed over when that refund fails', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  const refund = stripe.refunds({ chargeId });
  await hears();
  expect(await state()).toMatchObject({ licenses: [{ standing: 'refunded', credentials: 0 }] });

  stripe.refundBecomes(refund.id, 'failed');
  await hears();
  expect(await state()).toMatchObject({
    licenses: [{ standing: 'good', credentials: 1 }],
    mails: [{ kind: 'license-issued' }, { kind: 'license-refunded' }],
  });
});

test('what staff reinstated stays so, however often the refund is told again', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  stripe.refunds({ chargeId });
  await hears();
  app.clock.advance(DAY);
  await app.db.license.updateMany({ data: { reinstatedAt: app.clock.now() } });

  await hears(stripe.notice('charge.refunded', { id: chargeId }));

  expect(await state()).toMatchObject({ licenses: [{ standing: 'good' }] });
});

test('a refund of money that is not ours is ignored', async () => {
  const { app, stripe, hears, state } = await aShop();
  const stray = stripe.buys({
    email: ANNA,
    lines: [{ price: stripe.sells({ name: 'A course', amountMinor: 5_000 }) }],
  });
  stripe.notices.splice(0);
  stripe.refunds({ chargeId: stray.chargeId });

  await hears();

  expect(await app.db.notice.findMany()).toMatchObject([{ outcome: 'ignored' }, { outcome: 'ignored' }]);
  expect(await state()).toEqual({ licenses: [], credentials: [], mails: [], tasks: [], purchases: [] });
});

test('an open dispute withholds, a won one lets go, a lost one ends; an inquiry does nothing', async () => {
  const { stripe, sells, hears, state } = await aShop();
  const { chargeId } = stripe.buys({ email: ANNA, lines: [{ price: await sells('forms') }] });
  const standingAfter = async (act: () => unknown) => {
    act();
    await hears();
    return (await state()).licenses[0]?.standing;
  };
  await hears();

  expect(await standingAfter(() => stripe.disputes({ chargeId, status: 'warning_needs_response' }))).toBe('good');
  let dispute = '';
  const open = () => {
    dispute = stripe.disputes({ chargeId }).id;
  };
  expect(await standingAfter(open)).toBe('suspended');
  expect(await standingAfter(() => stripe.disputeBecomes(dispute, 'won'))).toBe('good');
  expect(await standingAfter(open)).toBe('suspended');
  expect(await standingAfter(() => stripe.disputeBecomes(dispute, 'lost'))).toBe('refunded');
});

test('the refund button gives a unit its share back, once for two clicks, and says who pressed it', async () => {
  const { app, stripe, sells, hears } = await aShop();
  const price = await sells('forms');
  stripe.buys({ email: ANNA, lines: [{ price, quantity: 3, discountMinor: 100 }] });
  await hears();
  const { purchaseId, ...first } = await app.db.license
    .findFirstOrThrow({ where: { unit: 1 }, include: { purchaseLine: true } })
    .then((license) => ({ ...license, purchaseId: license.purchaseLine!.purchaseId }));
  const order = { purchaseId, licenseIds: [first.id], by: { kind: 'member', userId: 'usr_anna' } as const };
  expect(await refundOffer(app, first.id)).toMatchObject({ amountMinor: 9_867, open: true });

  await Promise.all([refundOrder(app, order), refundOrder(app, order)]);
  await hears();

  expect(await app.db.refund.findMany()).toMatchObject([{ amountMinor: 9_867, licenseIds: [first.id] }]);
  const events = await app.db.auditEvent.findMany({ where: { action: 'license.refunded' } });
  expect(events).toMatchObject([{ licenseId: first.id, actor: 'member:usr_anna' }]);
  await expect(refundOrder(app, order)).rejects.toMatchObject({ code: 'already-refunded' });
});

test('a member refunds within the window, staff at any time, and the whole order gives back every cent', async () => {
  const { app, stripe, sells, hears, state } = await aShop();
  stripe.buys({ email: ANNA, lines: [{ price: await sells('forms'), quantity: 2, discountMinor: 333 }] });
  await hears();
  const { id: purchaseId } = await app.db.purchase.findFirstOrThrow();
  app.clock.advance(31 * DAY);

  const late = refundOrder(app, { purchaseId, by: { kind: 'member', userId: 'usr_anna' } });
  await expect(late).rejects.toMatchObject({ code: 'refund-window-over' });
  expect(stripe.requests.filter((request) => request.startsWith('POST'))).toEqual([]);

  await refundOrder(app, { purchaseId, by: { kind: 'staff', userId: 'usr_sam' } });
  expect(await state()).toMatchObject({
    licenses: [{ standing: 'refunded' }, { standing: 'refunded' }],
    purchases: [{ amountMinor: 19_467, refundedMinor: 19_467 }],
  });
});
