import { parseEmail } from '../identity/customers';
import { DomainError } from '../kit/errors';
import { absolute, paths } from '../paths';
import type { Needs } from '../ports/app';
import { refreshPrices } from './prices';

export class CheckoutRefused extends DomainError {}

/** More than this in one order is a conversation, not a click. */
export const QUANTITY_MAX = 50;

interface ProductOrder {
  slug: string;
  /** Filled in at the checkout; asked there, if not given. */
  email?: string | null;
  quantity: number;
}

/**
 * Opens a checkout for one product; unlisted ones are sold to whoever has the link.
 *
 * @throws {CheckoutRefused} codes `product-unknown`, `product-not-for-sale`, `quantity-refused`, `email-refused`
 * @throws codes `payments-away`, `price-unknown`
 */
export async function openProductCheckout(
  app: Needs<'db' | 'env' | 'payments'>,
  { slug, email, quantity }: ProductOrder,
): Promise<{ sessionId: string; url: string }> {
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > QUANTITY_MAX) {
    throw new CheckoutRefused('quantity-refused', `Choose a quantity from 1 to ${QUANTITY_MAX}.`);
  }
  const customerEmail = email ? parseEmail(email) : null;
  if (email && !customerEmail)
    throw new CheckoutRefused('email-refused', 'This is no mail address; check it once more.');

  const product = await app.db.product.findFirst({ where: { slug, archivedAt: null } });
  if (!product) throw new CheckoutRefused('product-unknown', `Nothing is sold here under the name "${slug}".`);
  const price = (await shownPrice(app, product.id)) ?? (await priceReadNow(app, product.id));
  if (!price) throw new CheckoutRefused('product-not-for-sale', `${product.name} cannot be bought here at the moment.`);

  return app.payments.openCheckout({
    lines: [{ ...price, name: product.name, quantity, productId: product.id }],
    customerEmail,
    metadata: { latchkey_product: product.id },
    // The provider puts the session's id where this word stands, so it must stay unescaped.
    successUrl: absolute(app.env.appUrl, paths.checkoutDone('SESSION')).replace('SESSION', '{CHECKOUT_SESSION_ID}'),
    cancelUrl: absolute(app.env.appUrl, paths.product(slug)),
  });
}

interface ShownPrice {
  stripePriceId: string;
  amountMinor: number;
  currency: string;
}

/** The newest price that is for sale and whose amount is known. */
async function shownPrice(app: Needs<'db'>, productId: string): Promise<ShownPrice | null> {
  const price = await app.db.price.findFirst({
    where: { productId, active: true, amountMinor: { not: null }, currency: { not: null } },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
  });
  if (!price || price.amountMinor === null || price.currency === null) return null;
  return { stripePriceId: price.stripePriceId, amountMinor: price.amountMinor, currency: price.currency };
}

/** A price that was linked while the provider was away has no amount yet. */
async function priceReadNow(app: Needs<'db' | 'payments'>, productId: string): Promise<ShownPrice | null> {
  await refreshPrices(app, productId);
  return shownPrice(app, productId);
}
