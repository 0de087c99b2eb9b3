import { errorCode } from '../kit/errors';
import type { Needs } from '../ports/app';

/** How far an order has come, for the page its buyer is sent back to. */
export type OrderStatus =
  /** Neither we nor the provider know of it. */
  | { state: 'unknown' }
  /** The provider waits for the money, or stopped waiting. */
  | { state: 'unpaid'; expired: boolean }
  /** Paid or being paid; the notice of it has not been handled yet. */
  | { state: 'confirming' }
  | {
      state: 'settled';
      customerId: string;
      email: string | null;
      /** None where staff must first say what was bought. */
      licenses: { id: string; productName: string }[];
      /** Composer names that the licenses open, by name. */
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
    if (session.status === 'complete') return { state: 'confirming' };
    return { state: 'unpaid', expired: session.status === 'expired' };
  } catch (error) {
    // The buyer has just come from there, so the likeliest truth is that the notice is on its way too.
    if (errorCode(error) === 'payments-away') return { state: 'confirming' };
    throw error;
  }
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
