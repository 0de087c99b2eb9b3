import { matches, parseConstraint } from '../catalog/constraints';
import type { ReleaseRecord } from '../catalog/lookup';
import { type Stability, stabilityAtLeast } from '../catalog/versions';
import { credentialStanding } from '../credentials/credential';
import type { CredentialRecord, LicenseRecord, PackageRecord } from '../credentials/lookup';
import { inRanges, parseRanges } from '../http/client-ip';
import { coverage, standing } from '../licenses/license';

/** Why a request was refused, as it stands in the audit log; persisted, so names are added and never changed. */
export type Reason =
  | 'no-credential'
  | 'malformed-credential'
  | 'wrong-credential'
  | 'credential-revoked'
  | 'credential-rotated'
  | 'credential-overlap-over'
  | 'credential-expired'
  | 'address-not-allowed'
  | 'no-license'
  | 'license-refunded'
  | 'license-revoked'
  | 'license-suspended'
  | 'license-lapsed'
  | 'not-covered'
  | 'newer-than-term'
  | 'outside-constraint'
  | 'below-stability'
  | 'unknown-package'
  | 'unknown-version'
  | 'unknown-path'
  | 'withdrawn'
  | 'unreadable-request'
  | 'too-many-wrong-credentials'
  | 'too-many-requests'
  | 'database-away'
  | 'archive-away';

export interface CredentialRefusal {
  reason: Reason;
  /** When it began, where that is a date. */
  since: Date | null;
  /** The license that ended, where one alone explains it. */
  license: LicenseRecord | null;
}

/** One license's word on a package. */
export interface Entitlement {
  licenseId: string;
  constraint: string | null;
  /** Releases published up to and including this instant; null: any. */
  until: Date | null;
  minimumStability: Stability;
}

export type PackageVerdict =
  | { kind: 'covered'; package: PackageRecord; entitlements: Entitlement[]; changedAt: Date }
  | {
      kind: 'ended';
      package: PackageRecord;
      reason: Reason;
      since: Date | null;
      license: LicenseRecord;
      changedAt: Date;
    }
  | { kind: 'not-covered' };

const ENDED: Record<string, Reason> = {
  revoked: 'license-revoked',
  refunded: 'license-refunded',
  suspended: 'license-suspended',
  lapsed: 'license-lapsed',
};

const STOPPED: Record<string, Reason> = {
  revoked: 'credential-revoked',
  rotated: 'credential-rotated',
  'overlap-over': 'credential-overlap-over',
  expired: 'credential-expired',
};

/** Null where a credential works here and now; its own facts first, then whether any of its licenses gives something. */
export function credentialRefusal(record: CredentialRecord, ip: string | null, at: Date): CredentialRefusal | null {
  const own = credentialStanding(record, at);
  if (own !== 'working') {
    const since =
      own === 'overlap-over' ? record.overlapEndsAt : own === 'expired' ? record.expiresAt : record.revokedAt;
    return { reason: STOPPED[own] ?? 'credential-revoked', since, license: null };
  }
  if (record.addressList.length > 0 && !(ip && inRanges(ip, parseRanges(record.addressList)))) {
    return { reason: 'address-not-allowed', since: null, license: null };
  }
  if (record.licenses.some((license) => coverage(license, at) !== null)) return null;
  const [license] = record.licenses;
  if (!license) return { reason: 'no-license', since: null, license: null };
  return { reason: endedReason(license, at), since: endedSince(license, at), license };
}

/** What a working credential may see of one package. */
export function packageVerdict(record: CredentialRecord, name: string, at: Date): PackageVerdict {
  const entitlements: Entitlement[] = [];
  let ended: { license: LicenseRecord; package: PackageRecord } | null = null;
  let found: PackageRecord | null = null;
  let changedAt = record.changedAt;
  for (const license of record.licenses) {
    const opened = license.packages.get(name);
    if (!opened) continue;
    found ??= opened;
    changedAt = later(changedAt, license.changedAt);
    if (license.coveredUntil && license.coveredUntil < at) changedAt = later(changedAt, license.coveredUntil);
    const covers = coverage(license, at);
    if (covers) {
      entitlements.push({
        licenseId: license.id,
        constraint: opened.constraint,
        until: covers.until,
        minimumStability: license.minimumStability as Stability,
      });
    } else {
      ended ??= { license, package: opened };
    }
  }
  if (found && entitlements.length > 0) return { kind: 'covered', package: found, entitlements, changedAt };
  if (!ended) return { kind: 'not-covered' };
  return {
    kind: 'ended',
    package: ended.package,
    reason: endedReason(ended.license, at),
    since: endedSince(ended.license, at),
    license: ended.license,
    changedAt,
  };
}

/** The license that opens a release, or why none does (the reason that came closest). */
export function releaseVerdict(
  entitlements: readonly Entitlement[],
  release: Pick<ReleaseRecord, 'versionNormalized' | 'stability' | 'publishedAt'>,
): { licenseId: string } | { reason: Reason; until: Date | null } {
  let refusal: { reason: Reason; until: Date | null } = { reason: 'not-covered', until: null };
  for (const entitlement of entitlements) {
    if (entitlement.constraint !== null) {
      const constraint = parseConstraint(entitlement.constraint);
      if (!constraint || !matches(constraint, release.versionNormalized)) {
        if (refusal.reason === 'not-covered') refusal = { reason: 'outside-constraint', until: null };
        continue;
      }
    }
    if (!stabilityAtLeast(release.stability, entitlement.minimumStability)) {
      if (refusal.reason === 'not-covered') refusal = { reason: 'below-stability', until: null };
      continue;
    }
    if (entitlement.until && release.publishedAt > entitlement.until) {
      refusal = { reason: 'newer-than-term', until: entitlement.until };
      continue;
    }
    return { licenseId: entitlement.licenseId };
  }
  return refusal;
}

/** Names what entitlements let through: equal texts see equal documents. `all` where one of them has no limit. */
export function coverageSignature(entitlements: readonly Entitlement[]): string {
  const limits = new Set(
    entitlements.map(({ constraint, until, minimumStability }) =>
      constraint === null && until === null && minimumStability === 'dev'
        ? 'all'
        : `${constraint ?? '*'} ${until?.getTime() ?? 'open'} ${minimumStability}`,
    ),
  );
  return limits.has('all') ? 'all' : [...limits].sort().join('|');
}

/** The next instant after `at` at which a verdict about this credential may change by itself; Infinity where none will. */
export function nextBoundary(record: CredentialRecord, at: Date): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (date: Date | null) => {
    if (date && date.getTime() >= at.getTime() && date.getTime() < next) next = date.getTime();
  };
  consider(record.revokedAt);
  consider(record.overlapEndsAt);
  consider(record.expiresAt);
  for (const license of record.licenses) {
    consider(license.coveredUntil);
    consider(license.suspendedAt);
    consider(license.refundedAt);
    consider(license.refundFailedAt);
    consider(license.revokedAt);
    consider(license.reinstatedAt);
  }
  return next;
}

function endedReason(license: LicenseRecord, at: Date): Reason {
  return ENDED[standing(license, at)] ?? 'not-covered';
}

function endedSince(license: LicenseRecord, at: Date): Date | null {
  switch (standing(license, at)) {
    case 'revoked':
      return license.revokedAt;
    case 'refunded':
      return license.refundedAt;
    case 'suspended':
      return license.suspendedAt;
    case 'lapsed':
      return license.coveredUntil;
    case 'good':
      return null;
  }
}

export function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
