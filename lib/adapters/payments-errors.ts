import { DomainError } from '../kit/errors';

export class PaymentsAway extends DomainError {
  constructor(readonly detail: string) {
    super(
      'payments-away',
      'The payment provider does not answer just now. Nothing was changed; try again in a minute.',
    );
  }
}

export class PriceUnknown extends DomainError {
  constructor(readonly priceId: string) {
    super('price-unknown', `The payment provider sells nothing under the price ${priceId}.`);
  }
}

export class RefundRefused extends DomainError {
  constructor(why: string) {
    super('refund-refused', `The payment provider refused this refund: ${why}`);
  }
}

export class CheckoutUnknown extends DomainError {
  constructor(readonly sessionId: string) {
    super('checkout-unknown', 'This checkout does not exist, or has expired. Start again from the product page.');
  }
}
