import type { Secret } from '../kit/secret';

/** What we need of a payment provider, in our words. Every id is the provider's own. Amounts are minor units. */
export interface Payments {
  readonly name: 'stripe' | 'pretend';
  readonly webhookSecret: Secret;
  /** Whether the key moves real money; notices of the other mode are not ours. */
  readonly livemode: boolean;

  /**
   * Opens a hosted checkout and returns where to send the buyer.
   *
   * @throws an error with code `payments-away` where the provider did not answer; `price-unknown` where it has no such price
   */
  openCheckout(order: CheckoutOrder): Promise<{ sessionId: string; url: string }>;

  /** @throws code `notice-unreadable` when the signature does not match, is too old, or the body is no notice. */
  verifyNotice(rawBody: Buffer, signatureHeader: string): VerifiedNotice;

  /** The reads: null where the provider knows no such object; code `payments-away` where it did not answer. */
  checkoutSession(id: string): Promise<CheckoutSession | null>;
  /** The session that a payment intent paid, or null where there is none (money that is not ours). */
  sessionOfPaymentIntent(paymentIntentId: string): Promise<CheckoutSession | null>;
  charge(id: string): Promise<Charge | null>;
  /** The charge that took the money of a payment intent; null while none did. */
  chargeOfPaymentIntent(paymentIntentId: string): Promise<Charge | null>;
  refund(id: string): Promise<PaymentRefund | null>;
  /** Every refund of a charge, oldest first. */
  refundsOfCharge(chargeId: string): Promise<PaymentRefund[]>;
  dispute(id: string): Promise<PaymentDispute | null>;
  price(id: string): Promise<PaymentPrice | null>;

  /**
   * Gives money back. `idempotencyKey` makes a repeat return the first refund.
   *
   * @throws code `refund-refused` with the provider's reason, such as nothing being left to give back
   */
  refundPayment(request: RefundRequest): Promise<PaymentRefund>;
}

export interface CheckoutOrder {
  lines: {
    stripePriceId: string | null;
    name: string;
    amountMinor: number;
    currency: string;
    quantity: number;
    productId: string;
  }[];
  customerEmail: string | null;
  metadata: Record<string, string>;
  successUrl: string;
  cancelUrl: string;
}

export interface VerifiedNotice {
  id: string;
  type: string;
  apiVersion: string | null;
  livemode: boolean;
  /** The id of the object it is about. */
  objectId: string | null;
  payload: unknown;
}

export interface CheckoutSession {
  id: string;
  livemode: boolean;
  status: 'open' | 'complete' | 'expired';
  paymentStatus: 'paid' | 'unpaid' | 'no_payment_required';
  paymentIntentId: string | null;
  invoiceId: string | null;
  subscriptionId: string | null;
  stripeCustomerId: string | null;
  customerEmail: string | null;
  customerName: string | null;
  currency: string;
  amountMinor: number;
  /** When the provider says it was created. */
  createdAt: Date;
  metadata: Record<string, string>;
  lines: {
    id: string;
    stripePriceId: string | null;
    /** Our own product id where the line's product metadata names it. */
    productId: string | null;
    description: string | null;
    quantity: number;
    amountMinor: number;
  }[];
}

export interface Charge {
  id: string;
  paymentIntentId: string | null;
  /** What was taken. */
  amountMinor: number;
  refundedMinor: number;
  currency: string;
  createdAt: Date;
}

export interface PaymentRefund {
  id: string;
  chargeId: string | null;
  paymentIntentId: string | null;
  amountMinor: number;
  currency: string;
  status: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled';
  reason: string | null;
  metadata: Record<string, string>;
  createdAt: Date;
}

export interface PaymentDispute {
  id: string;
  chargeId: string | null;
  paymentIntentId: string | null;
  amountMinor: number;
  currency: string;
  /** Stripe's own word. https://docs.stripe.com/api/disputes/object#dispute_object-status */
  status: string;
  reason: string;
  openedAt: Date;
}

export interface PaymentPrice {
  id: string;
  amountMinor: number | null;
  currency: string;
  active: boolean;
  productName: string | null;
}

export interface RefundRequest {
  paymentIntentId: string;
  /** Null gives back whatever is left. */
  amountMinor: number | null;
  metadata: Record<string, string>;
  idempotencyKey: string;
}

/** The stand-in of demo mode: a buyer pays at a page of ours, and the notices come through the real webhook. */
export interface PretendPayments extends Payments {
  readonly name: 'pretend';
  /** What a pretend checkout sells; null where there is no such session. */
  describe(sessionId: string): Promise<PretendCheckout | null>;
  /**
   * Pays an open session and sends the notice of it. Paying twice changes nothing.
   *
   * @throws code `checkout-unknown`
   */
  pay(sessionId: string, buyer: PretendBuyer): Promise<{ returnUrl: string }>;
  /** Sends again what could not be delivered, oldest first; returns how many notices still wait. */
  deliverWaiting(): Promise<number>;
  /** `at` and `tell` as of a payment: for history that is brought in. */
  refundPayment(request: RefundRequest & { at?: Date; tell?: boolean }): Promise<PaymentRefund>;
  /** Makes a price known, as if it had been set up at the provider. */
  putPrice(price: PaymentPrice): Promise<void>;
}

export interface PretendBuyer {
  email: string;
  name: string | null;
  /** When it was paid; now, if not given. */
  at?: Date;
  /** False keeps the notice back, for whoever settles the purchase directly. */
  tell?: boolean;
}

export interface PretendCheckout {
  sessionId: string;
  status: CheckoutSession['status'];
  email: string | null;
  lines: { description: string; quantity: number; amountMinor: number }[];
  amountMinor: number;
  currency: string;
  /** Where the buyer goes after paying, and after turning back. */
  returnUrl: string;
  cancelUrl: string;
}
