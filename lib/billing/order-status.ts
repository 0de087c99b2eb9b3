import { errorCode } from '../kit/errors';
import type { Needs } from '../ports/app';
import type { CheckoutSession } from '../ports/payments';

/** How far an order has come, for the page its buyer is sent back to. `packages` are Composer names that it opens, by name. */
export type OrderStatus =
  /** Neither we nor the provider know of it. */
  | { state: 'unknown' }
  /** The provider waits for the money, or stopped waiting. */
  | { state: 'unpaid'; expired: boolean }
  /** Paid or being paid; the notice of it has not been handled yet. */
  | { state: 'confirming'; packages: string[] }
  | {
      state: 'settled';
      customerId: string;
      email: string | null;
      /** None where staff must first say what was bought. */
      licenses: { id: string; productName: string }[];
      packages: string[];
      refunded: boolean;
    };

/** What became of a checkout session. Asks the provider only while we have no purchase of it. */
export async function orderStatus(app: Needs<'db' | 'payments'>, sessionId: string): Promise<OrderStatus> {
  const purchase = await app.db.purchase.findUnique({
    where: { stripeSessionId: sessionId },
    select: {
      customerId: true,
      refundedAt: true,
      customer: { select: { email: true } },
      lines: {
        select: {
          licenses: {
            select: {
              id: true,
              product: {
                select: { name: true, packages: { select: { package: { select: { name: true } } } } },
              },
            },
            orderBy: { unit: 'asc' },
          },
        },
      },
    },
  });
  if (purchase) {
    const licenses = purchase.lines.flatMap((line) => line.licenses);
    const names = licenses.flatMap((license) => license.product.packages.map((each) => each.package.name));
    return {
      state: 'settled',
      customerId: purchase.customerId,
      email: purchase.customer.email,
      licenses: licenses.map((license) => ({ id: license.id, productName: license.product.name })),
      packages: [...new Set(names)].sort(),
      refunded: purchase.refundedAt !== null,
    };
  }
  try {
    const session = await app.payments.checkoutSession(sessionId);
    if (!session) return { state: 'unknown' };
    if (session.status === 'complete') return { state: 'confirming', packages: await packagesOf(app, session.lines) };
    return { state: 'unpaid', expired: session.status === 'expired' };
  } catch (error) {
    // The buyer has just come from there, so the likeliest truth is that the notice is on its way too.
    if (errorCode(error) === 'payments-away') return { state: 'confirming', packages: [] };
    throw error;
  }
}

/** What the lines will open, as far as we know their products already. */
async function packagesOf(app: Needs<'db'>, lines: CheckoutSession['lines']): Promise<string[]> {
  const rows = await app.db.package.findMany({
    where: {
      products: {
        some: {
          product: {
            OR: [
              { id: { in: lines.map((line) => line.productId).filter((id) => id !== null) } },
              {
                prices: {
                  some: { stripePriceId: { in: lines.map((line) => line.stripePriceId).filter((id) => id !== null) } },
                },
              },
            ],
          },
        },
      },
    },
    select: { name: true },
    orderBy: { name: 'asc' },
  });
  return rows.map((row) => row.name);
}

/** Whether the order's purchase is stored, with all that follows from it. */
export async function isSettled(app: Needs<'db'>, sessionId: string): Promise<boolean> {
  return (await app.db.purchase.count({ where: { stripeSessionId: sessionId } })) > 0;
}

/** `ada@shop.example` → `a••@shop.example`: enough to recognise one's own, not enough to learn another's. */
export function maskedEmail(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, 1)}••${email.slice(at)}`;
}
