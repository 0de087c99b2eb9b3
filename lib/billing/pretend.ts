import { DomainError } from '../kit/errors';
import type { Needs } from '../ports/app';
import type { Payments, PretendBuyer, PretendCheckout, PretendPayments } from '../ports/payments';

export class NoPretendCheckout extends DomainError {
  constructor() {
    super('no-pretend-checkout', 'There is no such checkout here.');
  }
}

export function isPretend(payments: Payments): payments is PretendPayments {
  return payments.name === 'pretend';
}

/** What the pretend checkout's page shows; null where there is no such session, or money is real here. */
export async function describePretendCheckout(
  { payments }: Needs<'payments'>,
  sessionId: string,
): Promise<PretendCheckout | null> {
  return isPretend(payments) ? payments.describe(sessionId) : null;
}

/**
 * Pays, and sends the notice of it through the real webhook. Paying twice changes nothing.
 *
 * @returns where the buyer goes next
 * @throws codes `checkout-unknown`, `no-pretend-checkout`
 */
export async function payPretendCheckout(
  { payments }: Needs<'payments'>,
  sessionId: string,
  buyer: PretendBuyer,
): Promise<{ returnUrl: string }> {
  if (!isPretend(payments)) throw new NoPretendCheckout();
  return payments.pay(sessionId, buyer);
}
