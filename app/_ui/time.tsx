import { cn } from './cn';

const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'medium', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
const shortDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const shortDayAndYear = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

const STEPS = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
] as const;

/** `2 hours ago`, `in 3 days`; beyond thirty days the date itself says more. */
export function relativeTime(at: Date, now: Date): string {
  let amount = (at.getTime() - now.getTime()) / 1_000;
  if (Math.abs(amount) < 10) return 'just now';
  for (const [unit, next] of STEPS) {
    if (Math.abs(amount) < next) return relative.format(Math.trunc(amount), unit);
    amount /= next;
  }
  return briefDay(at, now);
}

/** `22 Nov`, with the year where it is not this one. */
export function briefDay(at: Date, now: Date): string {
  return at.getUTCFullYear() === now.getUTCFullYear() ? shortDay.format(at) : shortDayAndYear.format(at);
}

/** `3 May 2027` */
export function calendarDay(at: Date): string {
  return day.format(at);
}

/** `3 May 2027 at 14:05:12 UTC` */
export function exactTime(at: Date): string {
  return `${exact.format(at)} UTC`;
}

/** An instant, relative to `now` (the app's clock); the exact one and its zone on hover and for machines. */
export function RelativeTime({ at, now, className }: { at: Date; now: Date; className?: string }) {
  return (
    <time dateTime={at.toISOString()} title={exactTime(at)} className={cn('whitespace-nowrap', className)}>
      {relativeTime(at, now)}
    </time>
  );
}

/** An instant that matters as a date: the end of a term, of a window. */
export function Day({ at, className }: { at: Date; className?: string }) {
  return (
    <time dateTime={at.toISOString()} title={exactTime(at)} className={cn('whitespace-nowrap', className)}>
      {calendarDay(at)}
    </time>
  );
}
