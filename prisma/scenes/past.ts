import type { Tx } from '../../lib/db/client';
import { addDays, setClock } from '../../lib/kit/clock';
import type { App } from '../../lib/ports/app';
import type { PretendPayments } from '../../lib/ports/payments';

/** The world as it was at an instant: whatever is done with it is dated then. */
export function at(app: App, instant: Date): App {
  return { ...app, clock: setClock(instant) };
}

/** `days` before `now` at this time of day (UTC); a weekend's becomes the Friday's before it. Never later than `now`. */
export function workday(now: Date, days: number, hours: number, minutes = 0): Date {
  const day = addDays(now, -days);
  day.setUTCHours(hours, minutes, 17, 0);
  const weekday = day.getUTCDay();
  const friday = addDays(day, weekday === 6 ? -1 : weekday === 0 ? -2 : 0);
  return friday > now ? now : friday;
}

/**
 * The App inside one transaction that is under way: every command's own transaction becomes a part of it. Half a demo
 * would look like a loaded one, and its mails would leave before they are marked as history.
 */
export function within(app: App, tx: Tx): App {
  const db = new Proxy(tx, {
    get: (target, name) =>
      name === '$transaction' ? (work: (inner: Tx) => Promise<unknown>) => work(tx) : Reflect.get(target, name),
  });
  return { ...app, db: db as App['db'] };
}

/** The pretend checkout, dated and silent: nobody is told of what is settled directly. */
export function quiet(payments: PretendPayments, instant: Date): PretendPayments {
  return {
    ...payments,
    pay: (sessionId, buyer) => payments.pay(sessionId, { ...buyer, at: instant, tell: false }),
    refundPayment: (request) => payments.refundPayment({ ...request, at: instant, tell: false }),
  };
}

/** Numbers from 0 to 1 that look random and are the same in every demo, so that what is seen can be talked about. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
