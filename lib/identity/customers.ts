import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Customer } from '../db/generated/client';
import { lockName } from '../db/locks';
import { DomainError } from '../kit/errors';
import { newId } from '../kit/ids';
import type { Needs } from '../ports/app';

export type { Customer };

export class CustomerUnknown extends DomainError {
  constructor(readonly asked: string) {
    super('customer-unknown', `No customer is known by ${asked}.`);
  }
}

export class EmailUnreadable extends DomainError {
  constructor(readonly asked: string) {
    super('email-unreadable', `"${asked}" is not a mail address.`);
  }
}

/** Mail addresses are compared in lower case; the form of an address is the mailer's business, an `@` is ours. */
export function parseEmail(text: string): string | null {
  const email = text.trim().toLowerCase();
  return /^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+$/.test(email) && email.length <= 254 ? email : null;
}

interface Buyer {
  email: string;
  name?: string | null;
  stripeCustomerId?: string | null;
  by: Actor;
}

/**
 * The account of a mail address, made if there is none yet together with its first member (`admin`), so that whoever
 * reads that mailbox can sign in.
 */
export async function customerForEmail(app: Needs<'clock' | 'env' | 'keys'>, tx: Tx, buyer: Buyer): Promise<Customer> {
  const email = buyer.email.trim().toLowerCase();
  // Two purchases by a new buyer may settle at once; the second waits and finds the first one's account.
  await lockName(tx, `customer:${email}`);
  const known = await tx.customer.findUnique({ where: { email } });
  if (known) return fillIn(tx, known, buyer);

  const now = app.clock.now();
  const customer = await tx.customer.create({
    data: {
      id: newId('cus'),
      email,
      name: buyer.name ?? null,
      stripeCustomerId: await unclaimed(tx, buyer.stripeCustomerId),
      createdAt: now,
    },
  });
  const user =
    (await tx.user.findUnique({ where: { email } })) ??
    (await tx.user.create({ data: { id: newId('usr'), email, name: buyer.name ?? null, createdAt: now } }));
  await tx.member.create({
    data: { id: newId('mem'), customerId: customer.id, userId: user.id, role: 'admin', createdAt: now },
  });
  await record(app, tx, { action: 'customer.created', by: buyer.by, customerId: customer.id });
  return customer;
}

async function fillIn(tx: Tx, customer: Customer, buyer: Buyer): Promise<Customer> {
  const name = customer.name ?? buyer.name ?? null;
  const stripeCustomerId = customer.stripeCustomerId ?? (await unclaimed(tx, buyer.stripeCustomerId));
  if (name === customer.name && stripeCustomerId === customer.stripeCustomerId) return customer;
  return tx.customer.update({ where: { id: customer.id }, data: { name, stripeCustomerId } });
}

/** One Stripe customer may have paid under two mail addresses; it stays with the first account. */
async function unclaimed(tx: Tx, stripeCustomerId: string | null | undefined): Promise<string | null> {
  if (!stripeCustomerId) return null;
  const holder = await tx.customer.findUnique({ where: { stripeCustomerId }, select: { id: true } });
  return holder ? null : stripeCustomerId;
}

/** By id (`cus_…`) or mail address; null where there is none. */
export async function findCustomer(app: Needs<'db'>, idOrEmail: string): Promise<Customer | null> {
  return app.db.customer.findFirst({
    where: idOrEmail.includes('@') ? { email: idOrEmail.trim().toLowerCase() } : { id: idOrEmail },
  });
}
