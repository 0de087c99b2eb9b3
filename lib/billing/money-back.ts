import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import { mintSecrets } from '../credentials/issue';
import type { Tx } from '../db/client';
import type { Customer, License, Purchase } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { newId } from '../kit/ids';
import { formatMoney } from '../kit/money';
import { standing } from '../licenses/license';
import { liftSuspension, noteRefundFailed, refundLicenses, suspendLicenses } from '../licenses/refund';
import { sendLater } from '../mail/deliver';
import type { App, Needs } from '../ports/app';
import type { Charge, PaymentDispute, PaymentRefund } from '../ports/payments';
import { credentialsFor, handOver, productsOf } from './hand-over';
import {
  hasSucceeded,
  isReturnedInFull,
  type MoneyFacts,
  type MoneyStanding,
  moneyStanding,
  returnedMinor,
} from './money-standing';
import { namedLicenses, requestedBy } from './refund-metadata';
import { answerTasks, raiseTask, reopenTasks } from './staff-tasks';

export type BillingWorld = Pick<App, 'db' | 'clock' | 'env' | 'keys' | 'passwords' | 'payments'>;

const IN_ORDER = {
  customer: true,
  refunds: true,
  disputes: true,
  lines: { include: { licenses: { include: { _count: { select: { bindings: true } } } } } },
} as const;

/** An order with everything that money coming back may change. */
type Order = Purchase & {
  customer: Customer;
  refunds: { stripeRefundId: string; amountMinor: number; status: string; licenseIds: string[] }[];
  disputes: { stripeDisputeId: string; amountMinor: number; status: string }[];
  lines: { licenses: (License & { _count: { bindings: number } })[] }[];
};

/** As read from the provider just now. */
export interface MoneyRead {
  charge: Charge;
  refunds: PaymentRefund[];
  /** The dispute that was asked about, if any. */
  dispute: PaymentDispute | null;
}

const ATTEMPTS = 5;

const STANDINGS: MoneyStanding[] = ['kept', 'refund-pending', 'disputed', 'returned'];
const MOVES = STANDINGS.flatMap((from) => STANDINGS.filter((to) => to !== from).map((to) => ({ from, to })));

/**
 * Brings a stored order to what the provider says of its money today: licenses end, are withheld, or stand again, in one
 * transaction with the record and the mails of it. Only what changed since the last time has an effect, so it may be
 * called any number of times and in any order, and takes back nothing that staff decided meanwhile.
 */
export async function settleMoneyBack(
  app: BillingWorld,
  purchaseId: string,
  read: () => Promise<MoneyRead>,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const known = await app.db.purchase.findUniqueOrThrow({ where: { id: purchaseId }, include: IN_ORDER });
    const money = await read();
    const before = storedFacts(known, money.charge.amountMinor);
    const after = readFacts(known, money, before);
    const unbound = licensesOf(known).filter(
      (license) => license._count.bindings === 0 && comesBack(license, before, after),
    );
    const minted = await mintSecrets(app, credentialsFor(unbound));

    const settled = await transact(app, async (tx) => {
      await lockRows(tx, 'purchases', [purchaseId]);
      const order = await tx.purchase.findUniqueOrThrow({ where: { id: purchaseId }, include: IN_ORDER });
      // Somebody else settled between our reading and our lock, so theirs may be the newer reading: start over.
      if (!sameFacts(storedFacts(order, before.paidMinor), storedFacts(known, before.paidMinor))) return false;
      const licenses = await applyMoneyBack(app, tx, {
        order,
        licenses: licensesOf(order),
        before,
        after,
        read: money,
      });
      const handed = licenses.filter(
        (license) => unbound.some(({ id }) => id === license.id) && standing(license, app.clock.now()) !== 'revoked',
      );
      await handOver(app, tx, { customer: order.customer, purchaseId, licenses: handed, minted });
      return true;
    });
    if (settled) return;
  }
  throw new Error(`The refunds of ${purchaseId} changed faster than they could be read.`);
}

/** Given back and now kept again: a license that never had a credential gets one after all. */
function comesBack(license: License, before: MoneyFacts, after: MoneyFacts): boolean {
  return moneyStanding(license.id, before) !== 'kept' && moneyStanding(license.id, after) === 'kept';
}

interface MoneyBack {
  order: Pick<Order, 'id' | 'currency' | 'amountMinor' | 'refundedAt' | 'customerId' | 'customer'>;
  licenses: readonly License[];
  before: MoneyFacts;
  after: MoneyFacts;
  read: MoneyRead;
}

/** The change itself, in the caller's transaction, which holds the purchase's lock. Returns the licenses as they are then. */
export async function applyMoneyBack(app: Needs<'clock' | 'env' | 'keys'>, tx: Tx, it: MoneyBack): Promise<License[]> {
  if (sameFacts(it.before, it.after)) return [...it.licenses];
  const by = actorOf(it);
  await storeFacts(app, tx, it);
  await recordPurchase(app, tx, it, by);
  const ended = await moveLicenses(app, tx, it, by);
  await tellBuyer(app, tx, it, ended);
  await askStaff(app, tx, it);
  const moved = await tx.license.findMany({ where: { id: { in: it.licenses.map((license) => license.id) } } });
  return it.licenses.map((license) => moved.find(({ id }) => id === license.id) ?? license);
}

async function storeFacts(app: Needs<'clock'>, tx: Tx, { order, after, read }: MoneyBack): Promise<void> {
  const now = app.clock.now();
  for (const refund of read.refunds) {
    const facts = after.refunds.find((each) => each.id === refund.id);
    const { amountMinor, status, reason } = refund;
    const data = { amountMinor, status, reason, licenseIds: facts?.licenseIds ?? [], changedAt: now };
    await tx.refund.upsert({
      where: { stripeRefundId: refund.id },
      create: {
        id: newId('ref'),
        stripeRefundId: refund.id,
        purchaseId: order.id,
        createdAt: refund.createdAt,
        ...data,
      },
      update: data,
    });
  }
  if (read.dispute) {
    const { id, amountMinor, status, openedAt } = read.dispute;
    const data = { amountMinor, status, closedAt: isClosed(status) ? now : null };
    await tx.dispute.upsert({
      where: { stripeDisputeId: id },
      create: { id: newId('dsp'), stripeDisputeId: id, purchaseId: order.id, openedAt, ...data },
      update: data,
    });
  }
  await tx.purchase.update({
    where: { id: order.id },
    data: {
      chargeId: read.charge.id,
      refundedMinor: returnedMinor(after),
      refundedAt: isReturnedInFull(after) ? (order.refundedAt ?? now) : null,
    },
  });
}

async function recordPurchase(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  { order, before, after, read }: MoneyBack,
  by: Actor,
): Promise<void> {
  const { customerId, currency } = order;
  const about = { customerId, by, data: { purchase: order.id, currency, returnedMinor: returnedMinor(after) } };
  if (isReturnedInFull(after)) {
    if (!isReturnedInFull(before)) await record(app, tx, { action: 'purchase.refunded', ...about });
  } else if (returnedMinor(after) > returnedMinor(before)) {
    await record(app, tx, { action: 'purchase.partly-refunded', ...about });
  }
  const dispute = read.dispute;
  if (dispute && before.disputes.find(({ id }) => id === dispute.id)?.status !== dispute.status) {
    const data = { ...about.data, dispute: dispute.id, status: dispute.status };
    await record(app, tx, { action: 'purchase.disputed', ...about, reason: dispute.reason, data });
  }
}

/** @returns the licenses whose money has now been returned */
async function moveLicenses(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  { order, licenses, before, after }: MoneyBack,
  by: Actor,
): Promise<License[]> {
  const ended: License[] = [];
  for (const { from, to } of MOVES) {
    const moving = licenses.filter(({ id }) => moneyStanding(id, before) === from && moneyStanding(id, after) === to);
    if (moving.length === 0) continue;
    const why = (reason: string) => ({ by, reason, data: { purchase: order.id } });

    if (from === 'returned') await noteRefundFailed(app, tx, moving, why('The money did not go back after all.'));
    // An ending clears whatever was withheld before it.
    if (to !== 'returned' && from === 'disputed') {
      await liftSuspension(app, tx, moving, { for: 'dispute', ...why('The dispute was settled.') });
    }
    if (to !== 'returned' && from === 'refund-pending') {
      await liftSuspension(app, tx, moving, { for: 'refund-pending', ...why('The refund did not go through.') });
    }

    if (to === 'returned') ended.push(...(await refundLicenses(app, tx, moving, why('The money was returned.'))));
    if (to === 'disputed') {
      await suspendLicenses(app, tx, moving, { for: 'dispute', ...why('The payment is disputed.') });
    }
    if (to === 'refund-pending') {
      await suspendLicenses(app, tx, moving, { for: 'refund-pending', ...why('A refund is on its way.') });
    }
  }
  return ended;
}

/** One mail for what ended now. A dispute that was lost is the bank's to tell. */
async function tellBuyer(
  app: Needs<'clock' | 'keys'>,
  tx: Tx,
  { order, after, read }: MoneyBack,
  ended: License[],
): Promise<void> {
  const { customer } = order;
  const givenBack = after.refunds.filter(
    (refund) =>
      hasSucceeded(refund) &&
      (isReturnedInFull(after) || ended.some((license) => refund.licenseIds.includes(license.id))),
  );
  const last = read.refunds.findLast((refund) => givenBack.some(({ id }) => id === refund.id));
  if (!customer.email || ended.length === 0 || !last) return;
  const products = await productsOf(tx, ended);
  await sendLater(app, tx, {
    kind: 'license-refunded',
    to: customer.email,
    customerId: customer.id,
    dedupeKey: `${order.id}:${last.id}`,
    props: {
      licenses: ended.map((license) => ({
        licenseId: license.id,
        productName: products.get(license.productId)?.name ?? '',
        packages: products.get(license.productId)?.packages ?? [],
      })),
      amountMinor: givenBack.reduce((sum, refund) => sum + refund.amountMinor, 0),
      currency: order.currency,
      refundedAt: app.clock.now().toISOString(),
    },
  });
}

async function askStaff(
  app: Needs<'clock'>,
  tx: Tx,
  { order, licenses, before, after, read }: MoneyBack,
): Promise<void> {
  const about = { customerId: order.customerId, purchaseId: order.id };
  const buyer = order.customer.email ?? order.customer.id;
  const partial = after.refunds.filter((refund) => hasSucceeded(refund) && refund.licenseIds.length === 0);
  const tasks = partial.map(({ id }) => ({ kind: 'partial-refund' as const, subject: id }));
  if (isReturnedInFull(after)) {
    await answerTasks(app, tx, tasks, 'The order has since been refunded in full.');
  } else {
    if (isReturnedInFull(before)) await reopenTasks(tx, tasks);
    for (const refund of partial) {
      if (before.refunds.some((each) => each.id === refund.id && hasSucceeded(each))) continue;
      const amounts = `${formatMoney(refund.amountMinor, order.currency)} of ${formatMoney(after.paidMinor, order.currency)}`;
      await raiseTask(app, tx, {
        kind: 'partial-refund',
        subject: refund.id,
        ...about,
        summary: `${amounts} was given back to ${buyer} without saying for what; decide whether a license ends with it.`,
        facts: {
          refund: refund.id,
          refundedMinor: refund.amountMinor,
          paidMinor: after.paidMinor,
          currency: order.currency,
          metadata: read.refunds.find(({ id }) => id === refund.id)?.metadata ?? {},
          licenses: licenses.map((license) => license.id),
        },
      });
    }
  }
  const dispute = read.dispute;
  if (dispute && !isClosed(dispute.status)) {
    await raiseTask(app, tx, {
      kind: 'dispute-opened',
      subject: dispute.id,
      ...about,
      summary: `${buyer} disputes a payment of ${formatMoney(dispute.amountMinor, dispute.currency)}; answer it at Stripe.`,
      facts: { dispute: dispute.id, status: dispute.status, reason: dispute.reason },
    });
  }
}

/** Refunds of our own buttons say who asked; anything else was done at Stripe. */
function actorOf({ before, after, read }: MoneyBack): Actor {
  const changed = read.refunds.findLast((refund) => {
    const status = after.refunds.find(({ id }) => id === refund.id)?.status;
    return status !== before.refunds.find(({ id }) => id === refund.id)?.status;
  });
  return (changed && requestedBy(changed.metadata)) ?? { kind: 'stripe' };
}

function isClosed(disputeStatus: string): boolean {
  return ['won', 'lost', 'warning_closed', 'prevented'].includes(disputeStatus);
}

export function licensesOf<L extends License>(order: { lines: { licenses: L[] }[] }): L[] {
  return order.lines.flatMap((line) => line.licenses);
}

/** What was last read of an order's money. */
export function storedFacts(order: Pick<Order, 'refunds' | 'disputes'>, paidMinor: number): MoneyFacts {
  return {
    paidMinor,
    refunds: order.refunds.map(({ stripeRefundId: id, amountMinor, status, licenseIds }) => ({
      id,
      amountMinor,
      status,
      licenseIds,
    })),
    disputes: order.disputes.map(({ stripeDisputeId: id, amountMinor, status }) => ({ id, amountMinor, status })),
  };
}

function readFacts(order: Order, { charge, refunds, dispute }: MoneyRead, stored: MoneyFacts): MoneyFacts {
  const owned = new Set(licensesOf(order).map((license) => license.id));
  return {
    paidMinor: charge.amountMinor,
    refunds: refunds.map(({ id, amountMinor, status, metadata }) => ({
      id,
      amountMinor,
      status,
      licenseIds: namedLicenses(metadata).filter((licenseId) => owned.has(licenseId)),
    })),
    disputes: dispute
      ? [
          ...stored.disputes.filter(({ id }) => id !== dispute.id),
          { id: dispute.id, amountMinor: dispute.amountMinor, status: dispute.status },
        ]
      : stored.disputes,
  };
}

function sameFacts(a: MoneyFacts, b: MoneyFacts): boolean {
  return canonical(a) === canonical(b);
}

function canonical({ refunds, disputes }: MoneyFacts): string {
  const refundLines = refunds.map(({ id, amountMinor, status, licenseIds }) =>
    [id, amountMinor, status, ...licenseIds.toSorted()].join(' '),
  );
  return [...refundLines, ...disputes.map(({ id, amountMinor, status }) => [id, amountMinor, status].join(' '))]
    .sort()
    .join('\n');
}
