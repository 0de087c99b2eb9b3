import type { Actor } from '../audit/events';
import type { License, Product, Purchase, PurchaseLine } from '../db/generated/client';
import { addDays } from '../kit/clock';
import { DomainError } from '../kit/errors';
import { tokenHash } from '../kit/seal';
import { standing } from '../licenses/license';
import type { Needs } from '../ports/app';
import type { Charge, CheckoutSession } from '../ports/payments';
import { type BillingWorld, settleMoneyBack, storedFacts } from './money-back';
import { moneyStanding } from './money-standing';
import { isOurs, settlePurchase } from './purchases';
import { refundMetadata } from './refund-metadata';

/** What a notice or a button names; one of them is enough. */
export type RefundSubject = { chargeId: string } | { paymentIntentId: string } | { refundId: string };

export type MoneyBackSettled = { outcome: 'settled'; purchaseId: string } | { outcome: 'not-ours'; purchaseId: null };

/** A refund of a session that is ours but is not paid by Stripe's own words: whoever asked should ask again. */
export class PurchaseNotThere extends DomainError {
  constructor(readonly sessionId: string) {
    super('purchase-not-there', `The purchase of ${sessionId} has not arrived yet; this waits for it.`);
  }
}

/**
 * Brings an order to what Stripe says of its refunds today; see `settleMoneyBack`. An order that has not arrived is settled
 * first, so it does not matter which notice came first.
 *
 * @throws code `payments-away`; nothing is half-done then
 */
export async function settleRefunds(app: BillingWorld, subject: RefundSubject): Promise<MoneyBackSettled> {
  const charge = await chargeOf(app, subject);
  const purchaseId = charge && (await purchaseOfCharge(app, charge));
  if (!charge || !purchaseId) return { outcome: 'not-ours', purchaseId: null };
  await settleMoneyBack(app, purchaseId, async () => ({
    charge,
    refunds: await app.payments.refundsOfCharge(charge.id),
    dispute: null,
  }));
  return { outcome: 'settled', purchaseId };
}

async function chargeOf(app: Needs<'payments'>, subject: RefundSubject): Promise<Charge | null> {
  if ('chargeId' in subject) return app.payments.charge(subject.chargeId);
  if ('paymentIntentId' in subject) return app.payments.chargeOfPaymentIntent(subject.paymentIntentId);
  const refund = await app.payments.refund(subject.refundId);
  if (refund?.chargeId) return app.payments.charge(refund.chargeId);
  return refund?.paymentIntentId ? app.payments.chargeOfPaymentIntent(refund.paymentIntentId) : null;
}

/** The order that a charge paid, settled now if it has not arrived yet; null for money that is not ours. */
export async function purchaseOfCharge(app: BillingWorld, charge: Charge): Promise<string | null> {
  const { id: chargeId, paymentIntentId } = charge;
  const stored = await app.db.purchase.findFirst({
    where: { OR: [{ chargeId }, ...(paymentIntentId ? [{ paymentIntentId }] : [])] },
    select: { id: true },
  });
  if (stored) return stored.id;
  const session = paymentIntentId ? await app.payments.sessionOfPaymentIntent(paymentIntentId) : null;
  if (!session || !(await isOurs(app, session))) return null;
  return arrived(app, session);
}

async function arrived(app: BillingWorld, session: CheckoutSession): Promise<string | null> {
  const settled = await settlePurchase(app, session.id);
  if (settled.outcome === 'unpaid') throw new PurchaseNotThere(session.id);
  return settled.purchaseId;
}

export class RefundNotPossible extends DomainError {}

interface RefundOrder {
  purchaseId: string;
  /** The licenses to give back; the whole order, if not given. */
  licenseIds?: readonly string[];
  by: Actor;
}

/**
 * Gives an order, or some licenses of it, back: the money at Stripe first, then our side, as the notice of it would do.
 * Pressed twice, paid back once.
 *
 * @throws {RefundNotPossible} with what stands against it: `purchase-unknown`, `nothing-paid`, `already-refunded`,
 *   `refund-window-over` (members only; staff may refund at any time)
 * @throws code `refund-refused` with Stripe's reason, `payments-away`
 */
export async function refundOrder(app: BillingWorld, { purchaseId, licenseIds, by }: RefundOrder): Promise<void> {
  const order = await app.db.purchase.findUnique({
    where: { id: purchaseId },
    include: { refunds: true, disputes: true, lines: { include: { licenses: { include: { product: true } } } } },
  });
  if (!order) throw new RefundNotPossible('purchase-unknown', `No order has the id ${purchaseId}.`);
  const licenses = order.lines.flatMap((line) => line.licenses.map((license) => ({ license, line })));
  const now = app.clock.now();
  const money = storedFacts(order, order.amountMinor);
  const left = licenses.filter(({ license }) => moneyStanding(license.id, money) === 'kept');
  const chosen = licenseIds ? left.filter(({ license }) => licenseIds.includes(license.id)) : left;
  if (!order.paymentIntentId) {
    throw new RefundNotPossible('nothing-paid', 'Nothing was paid for this order, so there is nothing to give back.');
  }
  if (chosen.length === 0) {
    throw new RefundNotPossible('already-refunded', 'This was refunded already; the money is back or on its way.');
  }
  if (by.kind === 'member') {
    for (const { license } of chosen) refuseLate(order, license.product, now);
  }

  const whole = chosen.length === left.length && order.lines.every((line) => line.productId !== null);
  const ids = chosen.map(({ license }) => license.id).sort();
  const remaining = order.amountMinor - givenBack(order.refunds);
  const asked = chosen.reduce((sum, { license, line }) => sum + unitAmount(line, license.unit ?? 1), 0);
  await app.payments.refundPayment({
    paymentIntentId: order.paymentIntentId,
    amountMinor: whole ? null : Math.min(asked, remaining),
    metadata: refundMetadata(ids, by),
    // Two clicks are one refund; another try after a refund that failed is a new one.
    idempotencyKey: `${order.id}-${order.refunds.length}-${tokenHash(ids.join()).toString('hex').slice(0, 24)}`,
  });
  await settleRefunds(app, { paymentIntentId: order.paymentIntentId });
}

function refuseLate(order: Purchase, product: Product, now: Date): void {
  if (now <= refundableUntil(order, product)) return;
  throw new RefundNotPossible(
    'refund-window-over',
    `${product.name} could be refunded within ${product.refundWindowDays} days of buying it. Write to us instead.`,
  );
}

/** The last instant at which the buyer may still refund by hand of their own. */
export function refundableUntil(order: Pick<Purchase, 'paidAt'>, product: Pick<Product, 'refundWindowDays'>): Date {
  return addDays(order.paidAt, product.refundWindowDays);
}

/** One unit's share of its line, after discounts and taxes; the odd cents go to the first units, so that shares add up. */
export function unitAmount(line: Pick<PurchaseLine, 'amountMinor' | 'quantity'>, unit: number): number {
  const share = Math.floor(line.amountMinor / line.quantity);
  return unit <= line.amountMinor % line.quantity ? share + 1 : share;
}

function givenBack(refunds: { amountMinor: number; status: string }[]): number {
  const counted = refunds.filter(({ status }) => status !== 'failed' && status !== 'canceled');
  return counted.reduce((sum, refund) => sum + refund.amountMinor, 0);
}

/** What a refund button says before it is pressed. */
export interface RefundOffer {
  purchaseId: string;
  licenseId: string;
  amountMinor: number;
  currency: string;
  until: Date;
  /** Inside the window, paid for, and not refunded yet. */
  open: boolean;
}

/** Null for a license that no order paid for. */
export async function refundOffer(app: Needs<'db' | 'clock'>, licenseId: string): Promise<RefundOffer | null> {
  const license = await app.db.license.findUnique({
    where: { id: licenseId },
    include: { product: true, purchaseLine: { include: { purchase: true } } },
  });
  const line = license?.purchaseLine;
  if (!license || !line) return null;
  const until = refundableUntil(line.purchase, license.product);
  const amountMinor = unitAmount(line, license.unit ?? 1);
  return {
    purchaseId: line.purchaseId,
    licenseId,
    amountMinor,
    currency: line.purchase.currency,
    until,
    open: line.purchase.paymentIntentId !== null && mayEnd(license, app.clock.now()) && app.clock.now() <= until,
  };
}

function mayEnd(license: License, at: Date): boolean {
  const now = standing(license, at);
  return now !== 'refunded' && now !== 'revoked' && license.suspendedFor !== 'refund-pending';
}
