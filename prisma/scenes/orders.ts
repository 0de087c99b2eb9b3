import { handOver } from '../../lib/billing/hand-over';
import { settleMoneyBack } from '../../lib/billing/money-back';
import { isPretend } from '../../lib/billing/pretend';
import { settlePurchase } from '../../lib/billing/purchases';
import { refundOrder } from '../../lib/billing/refunds';
import { mintSecrets } from '../../lib/credentials/issue';
import type { Credential, Customer, License } from '../../lib/db/generated/client';
import { transact } from '../../lib/db/transact';
import { customerForEmail } from '../../lib/identity/customers';
import { issueLicense } from '../../lib/licenses/issue';
import { refundLicenses, suspendLicenses } from '../../lib/licenses/refund';
import { absolute, paths } from '../../lib/paths';
import type { App } from '../../lib/ports/app';
import type { PretendPayments } from '../../lib/ports/payments';
import type { Slug, Sold } from './catalog';
import { at, quiet } from './past';

export interface DemoOrder {
  at: Date;
  email: string;
  name: string;
  company: string;
  lines: [slug: Slug, quantity: number][];
}

export interface Bought {
  /** Null where nobody paid: beside a real payment provider the same licenses are gifts. */
  purchaseId: string | null;
  customer: Customer;
  /** In the order of their units. */
  licenses: License[];
  /** The k-th opens the k-th unit of every line. */
  credentials: Credential[];
}

/** Buys as a customer does, through the checkout, on the day of the order. */
export async function buy(app: App, sold: ReadonlyMap<Slug, Sold>, order: DemoOrder): Promise<Bought> {
  const lines = order.lines.map(([slug, quantity]) => ({ ...named(sold, slug), quantity }));
  const { payments } = app;
  const purchaseId = isPretend(payments)
    ? await checkOut({ ...at(app, order.at), payments: quiet(payments, order.at) }, order, lines)
    : null;
  if (!purchaseId) await give(at(app, order.at), order, lines);

  const customer = await app.db.customer.update({
    where: { email: order.email },
    data: { company: order.company },
  });
  return { purchaseId, customer, ...(await held(app, customer.id, purchaseId, order.at)) };
}

type Line = Sold & { quantity: number };

async function checkOut(then: App & { payments: PretendPayments }, order: DemoOrder, lines: Line[]): Promise<string> {
  const [first] = lines;
  const { sessionId } = await then.payments.openCheckout({
    lines: lines.map(({ product, stripePriceId, amountMinor, quantity }) => ({
      stripePriceId,
      name: product.name,
      amountMinor,
      currency: 'eur',
      quantity,
      productId: product.id,
    })),
    customerEmail: order.email,
    metadata: first ? { latchkey_product: first.product.id } : {},
    successUrl: absolute(then.env.appUrl, paths.checkoutDone('{CHECKOUT_SESSION_ID}')),
    cancelUrl: absolute(then.env.appUrl, paths.home()),
  });
  await then.payments.pay(sessionId, { email: order.email, name: order.name });
  const { purchaseId } = await settlePurchase(then, sessionId);
  if (!purchaseId) throw new Error(`The demo order of ${order.email} was not settled.`);
  return purchaseId;
}

async function give(then: App, order: DemoOrder, lines: Line[]): Promise<void> {
  const minted = await mintSecrets(then, Math.max(...lines.map(({ quantity }) => quantity)));
  await transact(then, async (tx) => {
    const by = { kind: 'system' } as const;
    const customer = await customerForEmail(then, tx, { email: order.email, name: order.name, by });
    const licenses: License[] = [];
    for (const { product, quantity } of lines) {
      for (let unit = 1; unit <= quantity; unit++) {
        const license = await issueLicense(then, tx, { customerId: customer.id, product, origin: 'import', by });
        licenses.push({ ...license, unit });
      }
    }
    await handOver(then, tx, { customer, purchaseId: `demo-${order.email}-${order.at.getTime()}`, licenses, minted });
  });
}

async function held(app: App, customerId: string, purchaseId: string | null, issuedAt: Date) {
  const licenses = await app.db.license.findMany({
    where: { customerId, ...(purchaseId ? { purchaseLine: { purchaseId } } : { issuedAt }) },
    orderBy: { unit: 'asc' },
  });
  const ids = licenses.map(({ id }) => id);
  const credentials = await app.db.credential.findMany({
    where: { bindings: { some: { licenseId: { in: ids } } } },
    orderBy: { label: 'asc' },
  });
  return { licenses, credentials };
}

/** The whole order goes back at the customer's click, or for a gift at ours. */
export async function giveBack(app: App, bought: Bought, instant: Date): Promise<void> {
  const then = at(app, instant);
  const { purchaseId, customer, licenses } = bought;
  const member = await app.db.member.findFirstOrThrow({ where: { customerId: customer.id } });
  const by = { kind: 'member', userId: member.userId } as const;
  if (purchaseId && isPretend(app.payments)) {
    await refundOrder({ ...then, payments: quiet(app.payments, instant) }, { purchaseId, by });
  } else {
    await transact(then, (tx) => refundLicenses(then, tx, licenses, { by, reason: 'The money was returned.' }));
  }
}

/** The customer's bank asks for the money back, and nothing is decided yet. */
export async function dispute(app: App, bought: Bought, instant: Date): Promise<void> {
  const then = at(app, instant);
  const purchase = bought.purchaseId ? await app.db.purchase.findUnique({ where: { id: bought.purchaseId } }) : null;
  const charge = purchase?.chargeId ? await app.payments.charge(purchase.chargeId) : null;
  if (!purchase || !charge) {
    const why = { for: 'dispute', by: { kind: 'system' }, reason: 'The payment is disputed.' } as const;
    await transact(then, (tx) => suspendLicenses(then, tx, bought.licenses, why));
    return;
  }
  await settleMoneyBack(then, purchase.id, async () => ({
    charge,
    refunds: [],
    dispute: {
      id: 'dp_demo_wine',
      chargeId: charge.id,
      paymentIntentId: charge.paymentIntentId,
      amountMinor: charge.amountMinor,
      currency: charge.currency,
      status: 'needs_response',
      reason: 'product_not_received',
      openedAt: instant,
    },
  }));
}

function named(sold: ReadonlyMap<Slug, Sold>, slug: Slug): Sold {
  const found = sold.get(slug);
  if (!found) throw new Error(`The demo sells no ${slug}.`);
  return found;
}
