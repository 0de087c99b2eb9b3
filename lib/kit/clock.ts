/** Where every domain fact gets its instant from; tests set it, production reads the machine. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is told otherwise. */
export interface SetClock extends Clock {
  set(instant: Date | string): void;
  advance(milliseconds: number): void;
}

export function setClock(start: Date | string): SetClock {
  let instant = new Date(start).getTime();
  return {
    now: () => new Date(instant),
    set: (to) => {
      instant = new Date(to).getTime();
    },
    advance: (milliseconds) => {
      instant += milliseconds;
    },
  };
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * The same day and time of day `months` later, in UTC; the last day of a shorter month stands in for a day it lacks
 * (31 January + 1 month is 28 or 29 February), as Stripe's billing anchors do.
 */
export function addMonths(from: Date, months: number): Date {
  const to = new Date(from);
  to.setUTCDate(1);
  to.setUTCMonth(to.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  to.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return to;
}

export function addDays(from: Date, days: number): Date {
  return new Date(from.getTime() + days * DAY);
}
