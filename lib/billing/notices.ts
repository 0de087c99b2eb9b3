import { transact } from '../db/transact';
import { enqueue } from '../jobs/queue';
import { errorCode, errorMessage } from '../kit/errors';
import type { Needs } from '../ports/app';
import { settleDispute } from './disputes';
import { jobKey } from './inbox';
import type { BillingWorld } from './money-back';
import { type PurchaseSettled, settlePurchase } from './purchases';
import { type MoneyBackSettled, settleRefunds } from './refunds';

interface Handled {
  outcome: 'handled' | 'ignored';
  note: string | null;
}

type Handler = (app: BillingWorld, objectId: string) => Promise<Handled>;

/** Every notice that changes something here. Each takes an id and reads the rest from Stripe. */
const HANDLERS: Record<string, Handler> = {
  'checkout.session.completed': async (app, id) => ofPurchase(await settlePurchase(app, id)),
  'checkout.session.async_payment_succeeded': async (app, id) => ofPurchase(await settlePurchase(app, id)),
  'checkout.session.async_payment_failed': async () => ({
    outcome: 'handled',
    note: 'The payment failed before anything was handed over.',
  }),
  'charge.refunded': async (app, chargeId) => ofMoneyBack(await settleRefunds(app, { chargeId })),
  'refund.created': async (app, refundId) => ofMoneyBack(await settleRefunds(app, { refundId })),
  'refund.updated': async (app, refundId) => ofMoneyBack(await settleRefunds(app, { refundId })),
  'refund.failed': async (app, refundId) => ofMoneyBack(await settleRefunds(app, { refundId })),
  'charge.dispute.created': async (app, id) => ofMoneyBack(await settleDispute(app, id)),
  'charge.dispute.closed': async (app, id) => ofMoneyBack(await settleDispute(app, id)),
};

/** While a notice waits for Stripe, its note begins with this. */
const AWAY = 'Stripe did not answer';

/**
 * Handles a stored notice: the job behind `receiveNotice`. Handled once, whatever is repeated.
 *
 * @throws whatever stands in the way (code `payments-away`, say), so that the queue tries again; the notice's note says why
 */
export async function handleNotice(app: BillingWorld, noticeId: string): Promise<void> {
  const notice = await app.db.notice.findUnique({ where: { id: noticeId } });
  if (!notice || notice.handledAt) return;
  try {
    const { outcome, note } = await handle(app, notice);
    await app.db.notice.update({
      where: { id: noticeId },
      data: { handledAt: app.clock.now(), outcome, note, attempts: { increment: 1 } },
    });
  } catch (error) {
    const note = errorCode(error) === 'payments-away' ? `${AWAY}; waiting for it.` : errorMessage(error);
    await app.db.notice.update({ where: { id: noticeId }, data: { note, attempts: { increment: 1 } } });
    throw error;
  }
}

async function handle(
  app: BillingWorld,
  { type, objectId }: { type: string; objectId: string | null },
): Promise<Handled> {
  const handler = Object.hasOwn(HANDLERS, type) ? HANDLERS[type] : undefined;
  if (!handler) return { outcome: 'ignored', note: 'Nothing here depends on notices of this type.' };
  if (!objectId) return { outcome: 'ignored', note: 'It names no object.' };
  return handler(app, objectId);
}

/**
 * Brings notices that wait for Stripe back to the front of the queue, which by itself asks ever more rarely: called every
 * minute, so that nobody waits much longer than Stripe was away. Returns how many wait.
 */
export async function retryWaitingNotices(app: Needs<'db'>): Promise<number> {
  const waiting = await app.db.notice.findMany({
    where: { handledAt: null, note: { startsWith: AWAY } },
    select: { id: true },
    orderBy: { receivedAt: 'asc' },
  });
  if (waiting.length === 0) return 0;
  await transact(app, async (tx) => {
    for (const { id } of waiting) await enqueue(tx, 'notice.handle', { noticeId: id }, { key: jobKey(id) });
  });
  return waiting.length;
}

function ofPurchase({ outcome, purchaseId }: PurchaseSettled): Handled {
  switch (outcome) {
    case 'settled':
    case 'seen':
      return { outcome: 'handled', note: `Order ${purchaseId}.` };
    case 'unpaid':
      return { outcome: 'handled', note: 'Not paid yet; Stripe says when it is.' };
    case 'foreign':
      return { outcome: 'handled', note: 'It sold nothing that a product here sells; staff were asked.' };
    case 'unaddressed':
      return { outcome: 'handled', note: 'It was paid without a mail address; staff were asked.' };
    case 'unknown':
      return { outcome: 'ignored', note: 'Stripe knows no such session under our key.' };
  }
}

function ofMoneyBack({ outcome, purchaseId }: MoneyBackSettled): Handled {
  return outcome === 'settled'
    ? { outcome: 'handled', note: `Order ${purchaseId}.` }
    : { outcome: 'ignored', note: 'This money paid for nothing of ours.' };
}
