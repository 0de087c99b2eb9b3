import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Credential } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import { LicenseUnknown } from '../licenses/revoke';
import type { Needs } from '../ports/app';
import { credentialStanding } from './credential';
import { LicensesOfSeveralCustomers } from './issue';
import { CredentialUnknown } from './revoke';
import { CredentialNotWorking } from './rotate';

export class NothingToBind extends DomainError {
  constructor() {
    super('nothing-to-bind', 'No license was named to bind.');
  }
}

/**
 * Binds a credential to more licenses of its customer; its username and secret stay. A license already bound stays bound.
 *
 * @throws {NothingToBind} {CredentialUnknown} {CredentialNotWorking} {LicenseUnknown} {LicensesOfSeveralCustomers}
 */
export async function bindLicenses(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { credentialId, licenseIds, by }: { credentialId: string; licenseIds: readonly string[]; by: Actor },
): Promise<Credential> {
  if (licenseIds.length === 0) throw new NothingToBind();
  return transact(app, async (tx) => {
    await lockRows(tx, 'credentials', [credentialId]);
    const credential = await tx.credential.findUnique({ where: { id: credentialId }, include: { bindings: true } });
    if (!credential) throw new CredentialUnknown(credentialId);
    const now = app.clock.now();
    if (credentialStanding(credential, now) !== 'working') throw new CredentialNotWorking(credential);
    const licenses = await tx.license.findMany({ where: { id: { in: [...licenseIds] } } });
    for (const id of licenseIds) {
      const license = licenses.find((each) => each.id === id);
      if (!license) throw new LicenseUnknown(id);
      if (license.customerId !== credential.customerId) throw new LicensesOfSeveralCustomers();
    }
    const bound = new Set(credential.bindings.map((binding) => binding.licenseId));
    const added = licenses.filter((license) => !bound.has(license.id));
    if (added.length === 0) return credential;
    await tx.credentialLicense.createMany({
      data: added.map((license) => ({ credentialId, licenseId: license.id, boundAt: now })),
    });
    await record(app, tx, {
      action: 'credential.combined',
      by,
      credentialId,
      customerId: credential.customerId,
      data: { licenses: added.map((license) => license.id) },
    });
    return tx.credential.update({ where: { id: credentialId }, data: { changedAt: now } });
  });
}
