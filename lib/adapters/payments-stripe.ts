import Stripe from 'stripe';
import { errorMessage } from '../kit/errors';
import type { Secret } from '../kit/secret';
import { storable } from '../kit/text';
import type {
  Charge,
  CheckoutOrder,
  CheckoutSession,
  PaymentDispute,
  PaymentPrice,
  PaymentRefund,
  Payments,
  RefundRequest,
} from '../ports/payments';
import { PaymentsAway, PriceUnknown, RefundRefused } from './payments-errors';
import { readNotice } from './stripe-notice';

/** One request may take this long, and is tried once more; a job that fails comes back by itself. */
const TIMEOUT_MS = 10_000;
const RETRIES = 1;

/** The key in a Stripe product's (or price's) metadata that names a product of ours. */
const PRODUCT_KEY = 'latchkey_product';

interface StripeSettings {
  secretKey: Secret;
  webhookSecret: Secret;
  /** Another server than Stripe's own that speaks its API; only scheme, host and port are used. */
  apiBase: string | null;
}

/** Stripe, at the API version that the SDK is pinned to. */
export function stripePayments({ secretKey, webhookSecret, apiBase }: StripeSettings): Payments {
  const stripe = new Stripe(secretKey.reveal(), {
    ...(apiBase ? baseAddress(apiBase) : {}),
    timeout: TIMEOUT_MS,
    maxNetworkRetries: RETRIES,
    telemetry: false,
    appInfo: { name: 'Latchkey' },
  });

  async function checkoutSession(id: string): Promise<CheckoutSession | null> {
    const expand = ['line_items.data.price.product'];
    const session = await found(() => stripe.checkout.sessions.retrieve(id, { expand }));
    if (!session) return null;
    return readSession(session, await linesOf(session), await paymentIntentOf(session));
  }

  /** All lines; the session itself carries only the first page of them. */
  async function linesOf(session: Stripe.Checkout.Session): Promise<Stripe.LineItem[]> {
    if (session.line_items && !session.line_items.has_more) return session.line_items.data;
    return answered(() =>
      allOf(stripe.checkout.sessions.listLineItems(session.id, { limit: 100, expand: ['data.price.product'] })),
    );
  }

  /** A session that started a subscription names no payment intent, only its first invoice. */
  async function paymentIntentOf(session: Stripe.Checkout.Session): Promise<string | null> {
    if (session.payment_intent) return idOf(session.payment_intent);
    const invoice = session.mode === 'subscription' ? idOf(session.invoice) : null;
    if (!invoice) return null;
    const payments = await found(() => stripe.invoicePayments.list({ invoice, status: 'paid', limit: 1 }));
    return idOf(payments?.data[0]?.payment.payment_intent);
  }

  async function sessionOfPaymentIntent(paymentIntentId: string): Promise<CheckoutSession | null> {
    const direct = await found(() => stripe.checkout.sessions.list({ payment_intent: paymentIntentId, limit: 1 }));
    const session = direct?.data[0];
    return session ? checkoutSession(session.id) : sessionOfFirstInvoice(paymentIntentId);
  }

  /**
   * Since `basil` neither charge nor payment intent names its invoice: ask which invoice the payment intent paid, and
   * where that began a subscription, which session began it. A renewal's invoice belongs to no session.
   */
  async function sessionOfFirstInvoice(paymentIntentId: string): Promise<CheckoutSession | null> {
    const payments = await found(() =>
      stripe.invoicePayments.list({
        payment: { type: 'payment_intent', payment_intent: paymentIntentId },
        expand: ['data.invoice'],
        limit: 1,
      }),
    );
    const invoice = payments?.data[0]?.invoice;
    if (!invoice || typeof invoice === 'string' || !('billing_reason' in invoice)) return null;
    const subscription = idOf(invoice.parent?.subscription_details?.subscription);
    if (invoice.billing_reason !== 'subscription_create' || !subscription) return null;
    const sessions = await found(() => stripe.checkout.sessions.list({ subscription, limit: 1 }));
    const session = sessions?.data[0];
    return session ? checkoutSession(session.id) : null;
  }

  async function charge(id: string): Promise<Charge | null> {
    const read = await found(() => stripe.charges.retrieve(id));
    return read && readCharge(read);
  }

  return {
    name: 'stripe',
    webhookSecret,
    livemode: /^(sk|rk)_live_/.test(secretKey.reveal()),

    async openCheckout(order) {
      const session = await answered(() => stripe.checkout.sessions.create(checkoutParams(order)), {
        refused: (error) => missingPrice(error, order),
      });
      if (!session.url) throw new PaymentsAway('a checkout session came without a URL');
      return { sessionId: session.id, url: session.url };
    },

    verifyNotice: (rawBody, signatureHeader) => readNotice(rawBody, signatureHeader, webhookSecret),
    checkoutSession,
    sessionOfPaymentIntent,
    charge,

    async chargeOfPaymentIntent(paymentIntentId) {
      const intent = await found(() => stripe.paymentIntents.retrieve(paymentIntentId));
      const chargeId = idOf(intent?.latest_charge);
      return chargeId ? charge(chargeId) : null;
    },

    async refund(id) {
      const read = await found(() => stripe.refunds.retrieve(id));
      return read && readRefund(read);
    },

    async refundsOfCharge(chargeId) {
      const refunds = await answered(() => allOf(stripe.refunds.list({ charge: chargeId, limit: 100 })));
      return refunds.map(readRefund).sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
    },

    async dispute(id) {
      const read = await found(() => stripe.disputes.retrieve(id));
      return read && readDispute(read);
    },

    async price(id) {
      const read = await found(() => stripe.prices.retrieve(id, { expand: ['product'] }));
      return read && readPrice(read);
    },

    async refundPayment({ paymentIntentId, amountMinor, metadata, idempotencyKey }: RefundRequest) {
      const refund = await answered(
        () =>
          stripe.refunds.create(
            { payment_intent: paymentIntentId, ...(amountMinor === null ? {} : { amount: amountMinor }), metadata },
            { idempotencyKey },
          ),
        { refused: (error) => new RefundRefused(errorMessage(error)) },
      );
      return readRefund(refund);
    },
  };
}

function baseAddress(apiBase: string): { host: string; port: string; protocol: 'http' | 'https' } {
  const url = new URL(apiBase);
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  return {
    // Node's request wants an IPv6 address without the brackets that a URL has.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (protocol === 'http' ? '80' : '443'),
    protocol,
  };
}

function checkoutParams(order: CheckoutOrder): Stripe.Checkout.SessionCreateParams {
  return {
    mode: 'payment',
    line_items: order.lines.map((line) => ({
      quantity: line.quantity,
      adjustable_quantity: { enabled: true, minimum: 1, maximum: Math.max(line.quantity, 50) },
      ...(line.stripePriceId
        ? { price: line.stripePriceId }
        : {
            price_data: {
              currency: line.currency,
              unit_amount: line.amountMinor,
              product_data: { name: line.name, metadata: { [PRODUCT_KEY]: line.productId } },
            },
          }),
    })),
    ...(order.customerEmail ? { customer_email: order.customerEmail } : {}),
    customer_creation: 'always',
    invoice_creation: { enabled: true },
    metadata: order.metadata,
    payment_intent_data: { metadata: order.metadata },
    success_url: order.successUrl,
    cancel_url: order.cancelUrl,
  };
}

function missingPrice(error: StripeFailure, order: CheckoutOrder): Error | null {
  const line = /^line_items\[(\d+)\]\[price\]$/.exec(error.param ?? '')?.[1];
  const priceId = line === undefined ? null : order.lines[Number(line)]?.stripePriceId;
  return priceId ? new PriceUnknown(priceId) : null;
}

function readSession(
  session: Stripe.Checkout.Session,
  lines: Stripe.LineItem[],
  paymentIntentId: string | null,
): CheckoutSession {
  return {
    id: session.id,
    livemode: session.livemode,
    status: readSessionStatus(session.status),
    paymentStatus: readPaymentStatus(session.payment_status),
    paymentIntentId,
    invoiceId: idOf(session.invoice),
    subscriptionId: idOf(session.subscription),
    stripeCustomerId: idOf(session.customer),
    customerEmail: session.customer_details?.email ?? session.customer_email,
    customerName: session.customer_details?.name ? storable(session.customer_details.name) : null,
    currency: session.currency ?? lines[0]?.currency ?? 'usd',
    amountMinor: session.amount_total ?? 0,
    createdAt: instant(session.created),
    metadata: session.metadata ?? {},
    lines: lines.map((line) => ({
      id: line.id,
      stripePriceId: line.price?.id ?? null,
      productId: line.price ? productNamedBy(line.price) : null,
      description: line.description ? storable(line.description) : null,
      quantity: line.quantity ?? 1,
      amountMinor: line.amount_total,
    })),
  };
}

function readSessionStatus(status: string | null): CheckoutSession['status'] {
  return status === 'complete' || status === 'expired' ? status : 'open';
}

/** Anything that Stripe may add some day counts as unpaid: nothing is handed out on a word we do not know. */
function readPaymentStatus(status: string): CheckoutSession['paymentStatus'] {
  return status === 'paid' || status === 'no_payment_required' ? status : 'unpaid';
}

function productNamedBy(price: Stripe.Price): string | null {
  const { product } = price;
  const ofProduct = typeof product === 'object' && 'metadata' in product ? product.metadata[PRODUCT_KEY] : undefined;
  return price.metadata?.[PRODUCT_KEY] ?? ofProduct ?? null;
}

function readCharge(charge: Stripe.Charge): Charge {
  return {
    id: charge.id,
    paymentIntentId: idOf(charge.payment_intent),
    // An authorization may be captured in part; before that, and where it is not said, the amount itself counts.
    amountMinor: charge.amount_captured || charge.amount,
    refundedMinor: charge.amount_refunded,
    currency: charge.currency,
    createdAt: instant(charge.created),
  };
}

function readRefund(refund: Stripe.Refund): PaymentRefund {
  return {
    id: refund.id,
    chargeId: idOf(refund.charge),
    paymentIntentId: idOf(refund.payment_intent),
    amountMinor: refund.amount,
    currency: refund.currency,
    status: readRefundStatus(refund.status),
    reason: refund.reason,
    metadata: refund.metadata ?? {},
    createdAt: instant(refund.created),
  };
}

/** A status we do not know is money on its way: it withholds and ends nothing. */
function readRefundStatus(status: string | null): PaymentRefund['status'] {
  switch (status) {
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'requires_action':
      return status;
    default:
      return 'pending';
  }
}

function readDispute(dispute: Stripe.Dispute): PaymentDispute {
  return {
    id: dispute.id,
    chargeId: idOf(dispute.charge),
    paymentIntentId: idOf(dispute.payment_intent),
    amountMinor: dispute.amount,
    currency: dispute.currency,
    status: dispute.status,
    reason: dispute.reason,
    openedAt: instant(dispute.created),
  };
}

function readPrice(price: Stripe.Price): PaymentPrice {
  const { product } = price;
  return {
    id: price.id,
    amountMinor: price.unit_amount,
    currency: price.currency,
    active: price.active,
    productName: typeof product === 'object' && 'name' in product ? product.name : null,
  };
}

function instant(seconds: number): Date {
  return new Date(seconds * 1_000);
}

/** An expandable field's id, whether it came expanded or not. */
function idOf(field: string | { id: string } | null | undefined): string | null {
  return typeof field === 'string' ? field : (field?.id ?? null);
}

async function allOf<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of pages) all.push(each);
  return all;
}

/** What the SDK's errors have in common, read by shape: two module graphs load its classes. */
interface StripeFailure {
  type?: string;
  code?: string;
  statusCode?: number;
  param?: string;
}

async function found<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    const failure = error as StripeFailure;
    if (failure.statusCode === 404 || failure.code === 'resource_missing') return null;
    throw translated(error);
  }
}

async function answered<T>(
  ask: () => Promise<T>,
  { refused = () => null }: { refused?: (error: StripeFailure) => Error | null } = {},
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const failure = error as StripeFailure;
    const refusal = failure.type === 'StripeInvalidRequestError' ? refused(failure) : null;
    throw refusal ?? translated(error);
  }
}

/** No answer, an answer of Stripe's own trouble, and "too many requests" all pass by themselves. */
function translated(error: unknown): unknown {
  const { type, statusCode } = error as StripeFailure;
  const passes =
    type === 'StripeConnectionError' ||
    type === 'StripeAPIError' ||
    type === 'StripeRateLimitError' ||
    statusCode === 409 ||
    (statusCode !== undefined && statusCode >= 500);
  return passes ? new PaymentsAway(errorMessage(error)) : error;
}
