import { record } from '../audit/record';
import { mintSecrets } from '../credentials/issue';
import type { Tx } from '../db/client';
import type { License, Product } from '../db/generated/client';
import { lockName } from '../db/locks';
import { transact } from '../db/transact';
import { customerForEmail } from '../identity/customers';
import { newId } from '../kit/ids';
import { formatMoney } from '../kit/money';
import { issueLicense } from '../licenses/issue';
import type { Needs } from '../ports/app';
import type { CheckoutSession } from '../ports/payments';
import { handOver } from './hand-over';
import { applyMoneyBack, type BillingWorld, type MoneyRead, storedFacts } from './money-back';
import { isReturnedInFull, type MoneyFacts, moneyStanding, nothingBack } from './money-standing';
import { answerTasks, type BillingTaskKind, raiseTask } from './staff-tasks';

export type PurchaseSettled =
  | { outcome: 'settled' | 'seen'; purchaseId: string }
  /** Not paid (yet), nothing of ours in it, nobody to send it to, or no such session. */
  | { outcome: 'unpaid' | 'foreign' | 'unaddressed' | 'unknown'; purchaseId: null };

type Line = CheckoutSession['lines'][number];
type Sold = { line: Line; product: Product | null };

/**
 * Makes a paid checkout session into a purchase with its licenses, credentials and one mail: once, however often and
 * from however many sides it is asked. Asked again after a price was linked to a product, it makes what was missing.
 *
 * Read from the provider first; nothing is done on a notice's word. An order that was given back before it arrived here
 * gets licenses that say so, no credential, and no mail with a secret.
 *
 * @throws code `payments-away`; nothing is half-done then
 */
export async function settlePurchase(app: BillingWorld, sessionId: string): Promise<PurchaseSettled> {
  const session = await app.payments.checkoutSession(sessionId);
  if (!session) return { outcome: 'unknown', purchaseId: null };
  if (session.paymentStatus === 'unpaid') return { outcome: 'unpaid', purchaseId: null };
  const sold = await productsSold(app, session);
  if (sold.every(({ product }) => product === null)) {
    await transact(app, (tx) => askWhatWasSold(app, tx, session, sold, null));
    return { outcome: 'foreign', purchaseId: null };
  }
  const email = session.customerEmail;
  if (!email) {
    await transact(app, (tx) => askForAddress(app, tx, session));
    return { outcome: 'unaddressed', purchaseId: null };
  }
  const known = await app.db.purchase.findUnique({ where: { stripeSessionId: session.id }, include: { lines: true } });
  if (known && !lacksAny(known.lines, sold)) return { outcome: 'seen', purchaseId: known.id };

  const money = await moneyOf(app, session);
  const wanted = money && isReturnedInFull(freshFacts(money)) ? 0 : largestQuantity(sold);
  const minted = await mintSecrets(app, wanted);

  return transact(app, async (tx) => {
    await lockName(tx, `purchase:${session.id}`);
    const customer = await customerForEmail(app, tx, {
      email,
      name: session.customerName,
      stripeCustomerId: session.stripeCustomerId,
      by: { kind: 'stripe' },
    });
    const stored = await tx.purchase.findUnique({ where: { stripeSessionId: session.id }, include: ORDER });
    const purchase = stored ?? (await storePurchase(app, tx, session, customer.id, money));
    const issued = await issueMissing(app, tx, { purchaseId: purchase.id, customerId: purchase.customerId, sold });
    if (stored && issued.length === 0) return { outcome: 'seen' as const, purchaseId: purchase.id };

    const paidMinor = money?.charge.amountMinor ?? session.amountMinor;
    // What came back before the order arrived is news for the whole order; later news come with their own notices.
    const after = stored ? storedFacts(stored, paidMinor) : money ? freshFacts(money) : nothingBack(paidMinor);
    const licenses =
      money && !stored
        ? await applyMoneyBack(app, tx, {
            order: { ...purchase, customer },
            licenses: issued,
            before: nothingBack(paidMinor),
            after,
            read: money,
          })
        : issued;
    const kept = licenses.filter((license) => moneyStanding(license.id, after) === 'kept');
    await handOver(app, tx, { customer, purchaseId: purchase.id, licenses: kept, minted });
    await askWhatWasSold(app, tx, session, sold, { customerId: customer.id, purchaseId: purchase.id });
    return { outcome: 'settled' as const, purchaseId: purchase.id };
  });
}

/**
 * Settles the orders whose missing price has been linked to a product since staff were asked about it.
 *
 * @returns how many sessions were looked at
 * @throws code `payments-away`
 */
export async function settleLinkedOrders(app: BillingWorld & Needs<'pool'>): Promise<number> {
  const { rows } = await app.pool.query<{ session: string }>(
    `select distinct task.facts ->> 'session' as session
     from staff_tasks task
     cross join lateral jsonb_array_elements(task.facts -> 'lines') line
     join prices price on price.stripe_price_id = line ->> 'stripePriceId'
     where task.kind = any($1) and task.resolved_at is null`,
    [['unknown-product', 'foreign-payment'] satisfies BillingTaskKind[]],
  );
  for (const { session } of rows) await settlePurchase(app, session);
  return rows.length;
}

const ORDER = { refunds: true, disputes: true } as const;

/** Each line with the product of ours that it sold: by its price, or by the metadata of Stripe's product. */
async function productsSold(app: Needs<'db'>, session: CheckoutSession): Promise<Sold[]> {
  const priceIds = session.lines.flatMap((line) => line.stripePriceId ?? []);
  const productIds = session.lines.flatMap((line) => line.productId ?? []);
  const prices = await app.db.price.findMany({
    where: { stripePriceId: { in: priceIds } },
    include: { product: true },
  });
  const products = await app.db.product.findMany({ where: { id: { in: productIds } } });
  return session.lines.map((line) => ({
    line,
    product:
      prices.find((price) => price.stripePriceId === line.stripePriceId)?.product ??
      products.find((product) => product.id === line.productId) ??
      null,
  }));
}

/** Whether a session sold anything of ours; money for anything else is somebody else's business. */
export async function isOurs(app: Needs<'db'>, session: CheckoutSession): Promise<boolean> {
  return (await productsSold(app, session)).some(({ product }) => product !== null);
}

function lacksAny(lines: { stripeLineId: string; productId: string | null }[], sold: Sold[]): boolean {
  return sold.some(
    ({ line, product }) =>
      product !== null && !lines.some((stored) => stored.stripeLineId === line.id && stored.productId !== null),
  );
}

function largestQuantity(sold: Sold[]): number {
  return Math.max(0, ...sold.map(({ line, product }) => (product ? line.quantity : 0)));
}

/** Null where nothing had to be paid. */
async function moneyOf(app: Needs<'payments'>, session: CheckoutSession): Promise<MoneyRead | null> {
  if (!session.paymentIntentId) return null;
  const charge = await app.payments.chargeOfPaymentIntent(session.paymentIntentId);
  return charge && { charge, refunds: await app.payments.refundsOfCharge(charge.id), dispute: null };
}

/** No refund can name a license of an order that has not arrived yet. */
function freshFacts({ charge, refunds }: MoneyRead): MoneyFacts {
  return {
    paidMinor: charge.amountMinor,
    refunds: refunds.map(({ id, amountMinor, status }) => ({ id, amountMinor, status, licenseIds: [] })),
    disputes: [],
  };
}

async function storePurchase(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  session: CheckoutSession,
  customerId: string,
  money: MoneyRead | null,
) {
  const purchase = await tx.purchase.create({
    data: {
      id: newId('pur'),
      customerId,
      stripeSessionId: session.id,
      paymentIntentId: session.paymentIntentId,
      chargeId: money?.charge.id ?? null,
      invoiceId: session.invoiceId,
      livemode: session.livemode,
      currency: session.currency,
      amountMinor: session.amountMinor,
      paidAt: money?.charge.createdAt ?? session.createdAt,
      createdAt: app.clock.now(),
    },
  });
  await record(app, tx, {
    action: 'purchase.paid',
    by: { kind: 'stripe' },
    customerId,
    data: {
      purchase: purchase.id,
      session: session.id,
      amountMinor: session.amountMinor,
      currency: session.currency,
    },
  });
  return purchase;
}

/** Stores the lines that are not stored yet, and one license for every unit that has none. */
async function issueMissing(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  { purchaseId, customerId, sold }: { purchaseId: string; customerId: string; sold: Sold[] },
): Promise<License[]> {
  const issued: License[] = [];
  for (const { line, product } of sold) {
    const key = { purchaseId, stripeLineId: line.id };
    const stored = await tx.purchaseLine.upsert({
      where: { purchaseId_stripeLineId: key },
      create: {
        id: newId('pul'),
        ...key,
        stripePriceId: line.stripePriceId,
        productId: product?.id ?? null,
        description: line.description,
        quantity: line.quantity,
        amountMinor: line.amountMinor,
      },
      // What was once said to be sold stays so, whatever becomes of the price.
      update: {},
      include: { licenses: { select: { unit: true } } },
    });
    if (!product || stored.licenses.length > 0) continue;
    if (stored.productId === null) {
      await tx.purchaseLine.update({ where: { id: stored.id }, data: { productId: product.id } });
    } else if (stored.productId !== product.id) continue;
    for (let unit = 1; unit <= line.quantity; unit++) {
      issued.push(
        await issueLicense(app, tx, {
          customerId,
          product,
          origin: 'purchase',
          by: { kind: 'stripe' },
          purchaseLineId: stored.id,
          unit,
        }),
      );
    }
  }
  return issued;
}

async function askWhatWasSold(
  app: Needs<'clock'>,
  tx: Tx,
  session: CheckoutSession,
  sold: Sold[],
  order: { customerId: string; purchaseId: string } | null,
): Promise<void> {
  const unknown = sold.filter(({ product }) => product === null).map(({ line }) => line);
  const subject = session.id;
  if (order) await answerTasks(app, tx, [{ kind: 'foreign-payment', subject }], 'The order was settled.');
  if (unknown.length === 0) {
    await answerTasks(app, tx, [{ kind: 'unknown-product', subject }], 'Every line was settled.');
    return;
  }
  const names = unknown
    .map((line) => `"${line.description ?? line.id}" (${line.stripePriceId ?? 'no price'})`)
    .join(', ');
  const amount = formatMoney(session.amountMinor, session.currency);
  await raiseTask(app, tx, {
    kind: order ? 'unknown-product' : 'foreign-payment',
    subject,
    ...order,
    summary: order
      ? `An order of ${amount} has lines that no product sells: ${names}. Link the price to a product.`
      : `${amount} was paid for something that no product sells: ${names}. Link the price to a product, if it is ours.`,
    facts: {
      session: session.id,
      paymentIntent: session.paymentIntentId,
      buyer: session.customerEmail,
      amountMinor: session.amountMinor,
      currency: session.currency,
      lines: unknown.map(({ id, stripePriceId, description, quantity, amountMinor }) => ({
        id,
        stripePriceId,
        description,
        quantity,
        amountMinor,
      })),
    },
  });
}

async function askForAddress(app: Needs<'clock'>, tx: Tx, session: CheckoutSession): Promise<void> {
  const amount = formatMoney(session.amountMinor, session.currency);
  await raiseTask(app, tx, {
    kind: 'payment-without-address',
    subject: session.id,
    summary: `${amount} was paid without a mail address; ask the buyer at Stripe and issue the license by hand.`,
    facts: {
      session: session.id,
      stripeCustomer: session.stripeCustomerId,
      amountMinor: session.amountMinor,
      currency: session.currency,
    },
  });
}
