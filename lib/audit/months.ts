/** The calendar month of an instant, in UTC, as milliseconds: `from` inclusive, `to` exclusive. */
export function monthOf(instant: Date): { from: number; to: number } {
  const [year, month] = [instant.getUTCFullYear(), instant.getUTCMonth()];
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}

/** `2026-11` */
export function monthName(month: Date): string {
  return month.toISOString().slice(0, 7);
}

/** The tables that hold one month's events and their seals; safe to put into SQL, being made of digits only. */
export function monthTables(month: Date): { events: string; seals: string } {
  const suffix = monthName(month).replace('-', '_');
  return { events: `audit.events_${suffix}`, seals: `audit.seals_${suffix}` };
}
