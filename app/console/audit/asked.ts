import { actionLabels } from '../../../lib/audit/describe';
import type { AuditAction } from '../../../lib/audit/events';
import type { AuditFilter } from '../../../lib/audit/search';
import { DAY, HOUR } from '../../../lib/kit/clock';
import { paths } from '../../../lib/paths';
import { oneOf } from '../../_search-params';
import { RANGES, type Range } from './ranges';

const DEFAULT_RANGE: Range = '7d';
/** How far back the chart counts where the search itself has no beginning. */
const CHART_MS_MAX = 90 * DAY;

/** Parts of the URL that narrow the search to one value each; the form's fields have the same names. */
export const NARROWINGS = ['customer', 'username', 'package', 'ip', 'license', 'credential', 'reason'] as const;
export type Narrowing = (typeof NARROWINGS)[number];

/** What the URL asks of the audit page. What cannot be read there is as good as absent. */
export interface Asked {
  range: Range;
  /** Only with the range `custom`. */
  since: Date | null;
  until: Date | null;
  action: AuditAction | null;
  verdict: 'admitted' | 'refused' | null;
  /** A mail address or a customer's id, in `customer`; the others as they stand in the log. */
  by: Partial<Record<Narrowing, string>>;
  cursor: string | null;
  /** The event that is open beside the table. */
  event: string | null;
}

export function readAsked(query: Record<string, string | string[] | undefined>): Asked {
  const range = oneOf(query.range);
  const action = oneOf(query.action);
  const verdict = oneOf(query.verdict);
  const by: Asked['by'] = {};
  for (const name of NARROWINGS) {
    const value = oneOf(query[name])?.trim();
    if (value) by[name] = value;
  }
  return {
    range: range && Object.hasOwn(RANGES, range) ? (range as Range) : DEFAULT_RANGE,
    since: readInstant(oneOf(query.since)),
    until: readInstant(oneOf(query.until)),
    action: actionLabels().find((each) => each.action === action)?.action ?? null,
    verdict: verdict === 'admitted' || verdict === 'refused' ? verdict : null,
    by,
    cursor: oneOf(query.cursor) ?? null,
    event: oneOf(query.event) ?? null,
  };
}

/** The page's URL with some things asked otherwise. Another search begins at its first page, with no event open. */
export function auditLink(asked: Asked, change: Partial<Asked> = {}): string {
  const then = { ...asked, cursor: null, event: null, ...change };
  const query: Record<string, string> = {};
  if (then.range !== DEFAULT_RANGE) query.range = then.range;
  if (then.range === 'custom') {
    if (then.since) query.since = then.since.toISOString();
    if (then.until) query.until = then.until.toISOString();
  }
  if (then.verdict) query.verdict = then.verdict;
  if (then.action) query.action = then.action;
  for (const name of NARROWINGS) {
    const value = then.by[name];
    if (value) query[name] = value;
  }
  if (then.cursor) query.cursor = then.cursor;
  if (then.event) query.event = then.event;
  return paths.consoleAudit(query);
}

export function isNarrowed(asked: Asked): boolean {
  return asked.action !== null || asked.verdict !== null || Object.keys(asked.by).length > 0;
}

/** @param customerId who `by.customer` is */
export function auditFilter(asked: Asked, customerId: string | null, now: Date): AuditFilter {
  const { ms } = RANGES[asked.range];
  const custom = asked.range === 'custom';
  return {
    since: custom ? asked.since : ms === null ? null : new Date(now.getTime() - ms),
    until: custom ? asked.until : null,
    action: asked.action,
    verdict: asked.verdict,
    customerId,
    licenseId: asked.by.license,
    credentialId: asked.by.credential,
    package: asked.by.package?.toLowerCase(),
    ip: asked.by.ip,
    username: asked.by.username,
    reason: asked.by.reason,
  };
}

/** The same filter with the two ends that a chart needs. */
export function chartFilter(filter: AuditFilter, now: Date): AuditFilter & { since: Date; until: Date } {
  const until = filter.until && filter.until < now ? filter.until : now;
  const earliest = new Date(until.getTime() - CHART_MS_MAX);
  const since = filter.since && filter.since > earliest ? filter.since : earliest;
  return { ...filter, since: since < until ? since : new Date(until.getTime() - HOUR), until };
}

/** RFC 3339, or what a browser's date field says, which is read as UTC. */
function readInstant(text: string | undefined): Date | null {
  if (!text) return null;
  const at = new Date(/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(at.getTime()) ? null : at;
}
