import type { License } from '../db/generated/client';

export type { License };

export type Standing = 'good' | 'lapsed' | 'suspended' | 'refunded' | 'revoked';

/** The dated facts that standing is derived from. */
export type LicenseFacts = Pick<
  License,
  'coveredUntil' | 'suspendedAt' | 'refundedAt' | 'refundFailedAt' | 'revokedAt' | 'reinstatedAt'
>;

/**
 * A license's condition at an instant, in this precedence: revoked, refunded, suspended, lapsed, good.
 *
 * `at` is compared to the millisecond; a license is still good *at* its `coveredUntil`. An ending is left only by a later
 * dated fact: Stripe said the refund failed, or staff reinstated.
 */
export function standing(license: LicenseFacts, at: Date): Standing {
  if (holds(license.revokedAt, at, license.reinstatedAt)) return 'revoked';
  if (holds(license.refundedAt, at, license.reinstatedAt, license.refundFailedAt)) return 'refunded';
  if (holds(license.suspendedAt, at)) return 'suspended';
  if (license.coveredUntil && at > license.coveredUntil) return 'lapsed';
  return 'good';
}

function holds(fact: Date | null, at: Date, ...undoneBy: (Date | null)[]): boolean {
  if (!fact || fact > at) return false;
  return !undoneBy.some((undone) => undone && undone >= fact && undone <= at);
}

/**
 * What a license lets through at an instant: releases published up to and including `until` (null: any), or nothing.
 * A lapsed license under `keep-versions` keeps what was published within its term.
 */
export function coverage(license: LicenseFacts & Pick<License, 'lapse'>, at: Date): { until: Date | null } | null {
  const now = standing(license, at);
  if (now === 'good') return { until: null };
  if (now === 'lapsed' && license.lapse === 'keep-versions') return { until: license.coveredUntil };
  return null;
}

/** The standing in one sentence, the same in page, mail and terminal. Dates in UTC. */
export function standingSentence(license: LicenseFacts & Pick<License, 'lapse'>, at: Date): string {
  const until = license.coveredUntil ? longDate(license.coveredUntil) : null;
  switch (standing(license, at)) {
    case 'revoked':
      return `Revoked on ${longDate(license.revokedAt)}. Nothing can be installed with it any more.`;
    case 'refunded':
      return `Refunded on ${longDate(license.refundedAt)}. Access ended with it.`;
    case 'suspended':
      return `Suspended since ${longDate(license.suspendedAt)}. Nothing can be installed until this is settled.`;
    case 'lapsed':
      return license.lapse === 'keep-versions'
        ? `Updates ended on ${until}. Versions published until then stay installable for ever.`
        : `Ended on ${until}. Renew to install again.`;
    case 'good':
      if (!until) return 'Updates for ever.';
      return license.lapse === 'keep-versions'
        ? `Updates until ${until}. Versions published until then stay installable for ever.`
        : `Good until ${until}.`;
  }
}

/** `3 May 2027`, in UTC. */
export function longDate(date: Date | null): string {
  return date
    ? date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
    : '';
}
