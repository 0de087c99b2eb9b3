import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { License } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import type { Needs } from '../ports/app';
import { standing } from './license';

export class LicenseUnknown extends DomainError {
  constructor(readonly licenseId: string) {
    super('license-unknown', `No license has the id ${licenseId}.`);
  }
}

/** Ends a license for a reason of the staff's. Asked twice, answered once. Its credentials go on with their other licenses. */
export async function revokeLicense(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { licenseId, by, reason }: { licenseId: string; by: Actor; reason: string },
): Promise<License> {
  return transact(app, async (tx) => {
    await lockRows(tx, 'licenses', [licenseId]);
    const license = await tx.license.findUnique({ where: { id: licenseId } });
    if (!license) throw new LicenseUnknown(licenseId);
    const now = app.clock.now();
    if (standing(license, now) === 'revoked') return license;
    const revoked = await tx.license.update({
      where: { id: licenseId },
      data: { revokedAt: now, revokedReason: reason, changedAt: now },
    });
    await record(app, tx, { action: 'license.revoked', by, reason, licenseId, customerId: license.customerId });
    return revoked;
  });
}
