import { createHash } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kit/clock';
import { DomainError, errorCode, errorMessage } from '../kit/errors';
import { randomLower } from '../kit/ids';
import type { Log } from '../kit/log';
import { Secret } from '../kit/secret';
import type {
  Charge,
  CheckoutOrder,
  CheckoutSession,
  PaymentPrice,
  PaymentRefund,
  PretendPayments,
} from '../ports/payments';
import { CheckoutUnknown, RefundRefused } from './payments-errors';
import { readNotice, signNotice } from './stripe-notice';

export class PretendInProduction extends DomainError {
  constructor() {
    super('pretend-in-production', 'The pretend checkout takes no money, so it does not run in production mode.');
  }
}

interface PretendSettings {
  mode: 'demo' | 'production';
  /** Everything the stand-in remembers: one file per object, put there by rename. */
  folder: string;
  webhookSecret: Secret;
  checkoutUrl: (sessionId: string) => string;
  /** The webhook's URL, as this process reaches it. */
  deliverTo: string;
  clock: Clock;
  log: Log;
}

type Session = CheckoutSession & { successUrl: string; cancelUrl: string };
type Refund = PaymentRefund & { idempotencyKey: string };

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

/**
 * A payment provider of our own for demo mode: it keeps sessions, charges and refunds as Stripe does, and tells of them by
 * signed notices through the real webhook, again and again until each is taken.
 *
 * @throws {PretendInProduction}
 */
export function pretendPayments(settings: PretendSettings): PretendPayments {
  const { folder, webhookSecret, clock, log } = settings;
  if (settings.mode === 'production') throw new PretendInProduction();
  const waitingFolder = join(folder, 'notices');
  const inTurn = oneAtATime();
  let retryMs = FIRST_RETRY_MS;
  let retry: NodeJS.Timeout | null = null;
  let sent = 0;

  const session = (id: string) => readObject<Session>(folder, 'cs_', id);
  const charge = (id: string) => readObject<Charge>(folder, 'ch_', id);
  const price = (id: string) => readObject<PaymentPrice>(folder, 'price_', id);

  async function sessionOfPaymentIntent(paymentIntentId: string): Promise<Session | null> {
    const sessions = await readObjects<Session>(folder, 'cs_');
    return sessions.find((each) => each.paymentIntentId === paymentIntentId) ?? null;
  }

  async function chargeOfPaymentIntent(paymentIntentId: string): Promise<Charge | null> {
    const charges = await readObjects<Charge>(folder, 'ch_');
    return charges.find((each) => each.paymentIntentId === paymentIntentId) ?? null;
  }

  async function refundsOfCharge(chargeId: string): Promise<Refund[]> {
    const refunds = await readObjects<Refund>(folder, 're_');
    return refunds
      .filter((each) => each.chargeId === chargeId)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  async function openCheckout(order: CheckoutOrder): Promise<{ sessionId: string; url: string }> {
    const id = `cs_test_${randomLower(24)}`;
    const lines = await Promise.all(
      order.lines.map(async (line) => {
        const stripePriceId = line.stripePriceId ?? `price_${randomLower(24)}`;
        const { amountMinor, currency, name: productName } = line;
        await writeObject(folder, { id: stripePriceId, amountMinor, currency, active: true, productName });
        return {
          id: `li_${randomLower(24)}`,
          stripePriceId,
          productId: line.productId,
          description: line.name,
          quantity: line.quantity,
          amountMinor: line.amountMinor * line.quantity,
        };
      }),
    );
    await writeObject(folder, {
      id,
      livemode: false,
      status: 'open',
      paymentStatus: 'unpaid',
      paymentIntentId: null,
      invoiceId: null,
      subscriptionId: null,
      stripeCustomerId: null,
      customerEmail: order.customerEmail,
      customerName: null,
      currency: order.lines[0]?.currency ?? 'usd',
      amountMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0),
      createdAt: clock.now(),
      metadata: order.metadata,
      lines,
      successUrl: order.successUrl,
      cancelUrl: order.cancelUrl,
    } satisfies Session);
    return { sessionId: id, url: settings.checkoutUrl(id) };
  }

  const pay: PretendPayments['pay'] = (sessionId, buyer) =>
    inTurn(async () => {
      const open = await session(sessionId);
      if (!open) throw new CheckoutUnknown(sessionId);
      const returnUrl = open.successUrl.replace('{CHECKOUT_SESSION_ID}', sessionId);
      if (open.status === 'complete') return { returnUrl };

      const paid = open.amountMinor > 0 ? newCharge(open, buyer.at ?? clock.now()) : null;
      if (paid) await writeObject(folder, paid);
      await writeObject(folder, {
        ...open,
        status: 'complete',
        paymentStatus: paid ? 'paid' : 'no_payment_required',
        paymentIntentId: paid?.paymentIntentId ?? null,
        // As Stripe with `customer_creation: always`: the same address may come as several customers.
        stripeCustomerId: `cus_${randomLower(14)}`,
        customerEmail: buyer.email,
        customerName: buyer.name,
      } satisfies Session);
      if (buyer.tell !== false) {
        await tell('checkout.session.completed', { id: sessionId, object: 'checkout.session' });
        await deliver();
      }
      return { returnUrl };
    });

  const refundPayment: PretendPayments['refundPayment'] = (request) =>
    inTurn(async () => {
      const { paymentIntentId, amountMinor, metadata, idempotencyKey } = request;
      const of = await chargeOfPaymentIntent(paymentIntentId);
      if (!of) throw new RefundRefused('nothing was paid.');
      const earlier = await refundsOfCharge(of.id);
      const same = earlier.find((each) => each.idempotencyKey === idempotencyKey);
      if (same) return same;
      const left = of.amountMinor - of.refundedMinor;
      const amount = amountMinor ?? left;
      if (amount <= 0 || amount > left) throw new RefundRefused('not that much is left to give back.');
      const refund: Refund = {
        id: `re_${randomLower(24)}`,
        chargeId: of.id,
        paymentIntentId,
        amountMinor: amount,
        currency: of.currency,
        status: 'succeeded',
        reason: null,
        metadata,
        createdAt: request.at ?? clock.now(),
        idempotencyKey,
      };
      await writeObject(folder, refund);
      await writeObject(folder, { ...of, refundedMinor: of.refundedMinor + amount });
      if (request.tell !== false) {
        await tell('refund.created', { id: refund.id, object: 'refund' });
        await tell('charge.refunded', { id: of.id, object: 'charge' });
        await deliver();
      }
      return refund;
    });

  /** Remembers a notice until the webhook has taken it. */
  async function tell(type: string, object: { id: string; object: string }): Promise<void> {
    const id = `evt_${randomLower(24)}`;
    const created = Math.floor(clock.now().getTime() / 1_000);
    const body = { id, object: 'event', type, api_version: null, created, livemode: false, data: { object } };
    const order = `${String(Date.now()).padStart(14, '0')}-${String(sent++).padStart(6, '0')}`;
    await writeFileByRename(waitingFolder, `${order}-${id}.json`, JSON.stringify(body));
  }

  /** Sends what waits, oldest first; after a failure the rest waits for the next try. Returns how many are left. */
  async function deliver(): Promise<number> {
    const waiting = await namesIn(waitingFolder);
    for (const [index, name] of waiting.entries()) {
      const file = join(waitingFolder, name);
      const body = await readIfThere(file);
      // Another process (a command beside the server) may have sent it meanwhile.
      if (body === null) continue;
      const why = await send(body);
      if (why !== null) {
        log.warn(`The pretend checkout's notice was not taken: ${why}`, { file: name, retryMs });
        retryLater();
        return waiting.length - index;
      }
      await rm(file, { force: true });
      retryMs = FIRST_RETRY_MS;
    }
    return 0;
  }

  /** @returns null once the webhook has taken it, else why it did not. */
  async function send(body: string): Promise<string | null> {
    try {
      // A signature's age is judged by the machine's clock, so it is made by it.
      const signature = signNotice(body, new Date(), webhookSecret);
      const answer = await fetch(settings.deliverTo, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
        body,
        signal: AbortSignal.timeout(10_000),
      });
      await answer.arrayBuffer();
      return answer.ok ? null : `the webhook answered ${answer.status}`;
    } catch (error) {
      return errorMessage(error);
    }
  }

  function retryLater(): void {
    if (retry) return;
    retry = setTimeout(() => {
      retry = null;
      inTurn(deliver).catch((error) => {
        log.error(`The pretend checkout could not read its notices: ${errorMessage(error)}`);
      });
    }, retryMs);
    retry.unref();
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }

  return {
    name: 'pretend',
    webhookSecret,
    livemode: false,
    openCheckout,
    verifyNotice: (rawBody, signatureHeader) => readNotice(rawBody, signatureHeader, webhookSecret),
    checkoutSession: session,
    sessionOfPaymentIntent,
    charge,
    chargeOfPaymentIntent,
    refund: (id) => readObject<Refund>(folder, 're_', id),
    refundsOfCharge,
    dispute: async () => null,
    price,
    refundPayment,
    pay,
    deliverWaiting: () => inTurn(deliver),
    putPrice: (known) => writeObject(folder, known),

    async describe(sessionId) {
      const known = await session(sessionId);
      return (
        known && {
          sessionId,
          status: known.status,
          email: known.customerEmail,
          lines: known.lines.map(({ description, quantity, amountMinor }) => ({
            description: description ?? 'Product',
            quantity,
            amountMinor,
          })),
          amountMinor: known.amountMinor,
          currency: known.currency,
          returnUrl: known.successUrl.replace('{CHECKOUT_SESSION_ID}', sessionId),
          cancelUrl: known.cancelUrl,
        }
      );
    },
  };
}

/**
 * The secret that signs the pretend checkout's notices, made once under the data folder and readable by its owner only.
 * Processes that start together agree on one.
 */
export async function pretendWebhookSecret(dataFolder: string): Promise<Secret> {
  const file = join(dataFolder, 'stripe-webhook-secret');
  await mkdir(dataFolder, { recursive: true });
  const draft = `${file}.${randomLower(8)}`;
  await writeFile(draft, `whsec_${randomLower(48)}\n`, { mode: 0o600 });
  try {
    // A link, unlike a rename, never replaces what another process has just put there.
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return new Secret((await readFile(file, 'utf8')).trim());
}

function newCharge(session: Session, at: Date): Charge {
  return {
    id: `ch_${randomLower(24)}`,
    paymentIntentId: `pi_${randomLower(24)}`,
    amountMinor: session.amountMinor,
    refundedMinor: 0,
    currency: session.currency,
    createdAt: at,
  };
}

async function writeObject<T extends { id: string }>(folder: string, object: T): Promise<void> {
  await writeFileByRename(folder, fileOf(object.id), JSON.stringify(object));
}

async function readObject<T>(folder: string, prefix: string, id: string): Promise<T | null> {
  if (!id.startsWith(prefix)) return null;
  const text = await readIfThere(join(folder, fileOf(id)));
  return text === null ? null : revive<T>(text);
}

async function readObjects<T>(folder: string, prefix: string): Promise<T[]> {
  const names = (await namesIn(folder)).filter((name) => name.startsWith(prefix));
  return Promise.all(names.map(async (name) => revive<T>(await readFile(join(folder, name), 'utf8'))));
}

/** An id comes from a URL or a command line, so only our own form of it becomes a file name as it is. */
function fileOf(id: string): string {
  const name = /^[a-z]+_[A-Za-z0-9_]{1,80}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
  return `${name}.json`;
}

function revive<T>(text: string): T {
  return JSON.parse(text, (key, value) => (key === 'createdAt' ? new Date(value) : value)) as T;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function writeFileByRename(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `${name}.${randomLower(8)}`);
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, join(folder, name));
}

/** Runs what it is given one after another, in the order given; a failure of one does not stop the next. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
