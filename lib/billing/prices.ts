import type { Needs } from '../ports/app';

/**
 * Reads a product's prices from the payment provider again, for the shop window; what is charged is decided there.
 *
 * @returns the Stripe prices that the provider does not know
 * @throws code `payments-away`
 */
export async function refreshPrices(app: Needs<'db' | 'payments'>, productId: string): Promise<string[]> {
  const prices = await app.db.price.findMany({ where: { productId } });
  const unknown: string[] = [];
  for (const { id, stripePriceId } of prices) {
    const read = await app.payments.price(stripePriceId);
    if (!read) {
      unknown.push(stripePriceId);
      continue;
    }
    const { amountMinor, currency, active } = read;
    await app.db.price.update({ where: { id }, data: { amountMinor, currency, active } });
  }
  return unknown;
}
