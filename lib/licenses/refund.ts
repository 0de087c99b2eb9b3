import type { Actor, Change } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { License } from '../db/generated/client';
import { lockRows } from '../db/locks';
import type { Needs } from '../ports/app';
import { standing } from './license';

interface Why {
  by: Actor;
  reason: string;
  data?: Change['data'];
}

type World = Needs<'clock' | 'env' | 'keys'>;

/** Ends licenses whose money was returned. Those already refunded stay as they are; returns the ones ended now. */
export async function refundLicenses(app: World, tx: Tx, licenses: readonly License[], why: Why): Promise<License[]> {
  const now = app.clock.now();
  return change(app, tx, licenses, why, 'license.refunded', (license) =>
    isRefunded(license)
      ? null
      : { refundedAt: now, refundFailedAt: null, suspendedAt: null, suspendedFor: null, suspendedReason: null },
  );
}

/** Stripe says that a refund did not go through after all: the license stands again. */
export async function noteRefundFailed(app: World, tx: Tx, licenses: readonly License[], why: Why): Promise<License[]> {
  const now = app.clock.now();
  return change(app, tx, licenses, why, 'license.reinstated', (license) =>
    isRefunded(license) ? { refundFailedAt: now } : null,
  );
}

/** Withholds everything until the reason is gone. An ended or already suspended license stays as it is. */
export async function suspendLicenses(
  app: World,
  tx: Tx,
  licenses: readonly License[],
  why: Why & { for: 'dispute' | 'refund-pending' | 'staff' },
): Promise<License[]> {
  const now = app.clock.now();
  return change(app, tx, licenses, why, 'license.suspended', (license) => {
    const present = standing(license, now);
    if (present !== 'good' && present !== 'lapsed') return null;
    return { suspendedAt: now, suspendedFor: why.for, suspendedReason: why.reason };
  });
}

/** Takes back a suspension made for this reason; one made for another stays. */
export async function liftSuspension(
  app: World,
  tx: Tx,
  licenses: readonly License[],
  why: Why & { for: 'dispute' | 'refund-pending' | 'staff' },
): Promise<License[]> {
  return change(app, tx, licenses, why, 'license.reinstated', (license) =>
    license.suspendedAt && license.suspendedFor === why.for
      ? { suspendedAt: null, suspendedFor: null, suspendedReason: null }
      : null,
  );
}

/** Refunded and neither failed nor reinstated since, whatever else holds beside it. */
function isRefunded(license: License): boolean {
  const { refundedAt, refundFailedAt, reinstatedAt } = license;
  if (!refundedAt) return false;
  return !(refundFailedAt && refundFailedAt >= refundedAt) && !(reinstatedAt && reinstatedAt >= refundedAt);
}

async function change(
  app: World,
  tx: Tx,
  licenses: readonly License[],
  why: Why,
  action: Change['action'],
  decide: (license: License) => Partial<License> | null,
): Promise<License[]> {
  const ids = licenses.map((license) => license.id);
  await lockRows(tx, 'licenses', ids);
  const present = await tx.license.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } });
  const changed: License[] = [];
  for (const license of present) {
    const data = decide(license);
    if (!data) continue;
    changed.push(await tx.license.update({ where: { id: license.id }, data: { ...data, changedAt: app.clock.now() } }));
    await record(app, tx, {
      action,
      by: why.by,
      customerId: license.customerId,
      licenseId: license.id,
      reason: why.reason,
      data: why.data,
    });
  }
  return changed;
}
