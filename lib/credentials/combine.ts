import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Credential } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import { LicenseUnknown } from '../licenses/revoke';
import type { Needs } from '../ports/app';
import { credentialStanding } from './credential';
import { isOver, LicensesOfSeveralCustomers, refuseEnded, refuseOverLimit } from './issue';
import { CredentialUnknown, revokeWithin } from './revoke';
import { CredentialNotWorking } from './rotate';

export class NothingToBind extends DomainError {
  constructor() {
    super('nothing-to-bind', 'No license was named to bind.');
  }
}

type World = Needs<'db' | 'clock' | 'env' | 'keys'>;

interface Binding {
  credentialId: string;
  licenseIds: readonly string[];
  by: Actor;
}

/**
 * Binds a credential to more licenses of its customer; its username and secret stay. A license already bound stays bound.
 *
 * @throws {NothingToBind} {CredentialUnknown} {CredentialNotWorking} {LicenseUnknown} {LicensesOfSeveralCustomers}
 * {LicenseGivesNothing} {CredentialLimitReached}
 */
export async function bindLicenses(app: World, binding: Binding): Promise<Credential> {
  if (binding.licenseIds.length === 0) throw new NothingToBind();
  return transact(app, (tx) => bindWithin(app, tx, binding));
}

/**
 * Moves what a credential opens to another one of the same customer, and ends it: one shop, one credential. Licenses that
 * are over for good are left behind.
 *
 * @throws as `bindLicenses`; both credentials are as they were then
 */
export async function absorbCredential(
  app: World,
  { intoId, fromId, by }: { intoId: string; fromId: string; by: Actor },
): Promise<Credential> {
  if (intoId === fromId) throw new NothingToBind();
  return transact(app, async (tx) => {
    await lockRows(tx, 'credentials', [intoId, fromId]);
    const from = await tx.credential.findUnique({
      where: { id: fromId },
      include: { bindings: { include: { license: true } } },
    });
    if (!from) throw new CredentialUnknown(fromId);
    const now = app.clock.now();
    if (credentialStanding(from, now) !== 'working') throw new CredentialNotWorking(from);
    const alive = from.bindings.filter(({ license }) => !isOver(license, now));
    if (alive.length === 0) throw new NothingToBind();
    // First, so that at the limit the place it held is free.
    await revokeWithin(app, tx, { credentialId: fromId, by, reason: 'combined' });
    return bindWithin(app, tx, { credentialId: intoId, licenseIds: alive.map(({ licenseId }) => licenseId), by });
  });
}

async function bindWithin(app: World, tx: Tx, { credentialId, licenseIds, by }: Binding): Promise<Credential> {
  await lockRows(tx, 'credentials', [credentialId]);
  const credential = await tx.credential.findUnique({ where: { id: credentialId }, include: { bindings: true } });
  if (!credential) throw new CredentialUnknown(credentialId);
  const now = app.clock.now();
  if (credentialStanding(credential, now) !== 'working') throw new CredentialNotWorking(credential);
  await lockRows(tx, 'licenses', licenseIds);
  const licenses = await tx.license.findMany({ where: { id: { in: [...licenseIds] } }, include: { product: true } });
  const bound = new Set(credential.bindings.map((binding) => binding.licenseId));
  const added: string[] = [];
  for (const id of new Set(licenseIds)) {
    const license = licenses.find((each) => each.id === id);
    if (!license) throw new LicenseUnknown(id);
    if (license.customerId !== credential.customerId) throw new LicensesOfSeveralCustomers();
    if (bound.has(id)) continue;
    refuseEnded(license, now);
    await refuseOverLimit(app, tx, id, license.product.credentialsPerLicense);
    added.push(id);
  }
  if (added.length === 0) return credential;
  await tx.credentialLicense.createMany({
    data: added.map((licenseId) => ({ credentialId, licenseId, boundAt: now })),
  });
  await record(app, tx, {
    action: 'credential.combined',
    by,
    credentialId,
    customerId: credential.customerId,
    data: { licenses: added },
  });
  return tx.credential.update({ where: { id: credentialId }, data: { changedAt: now } });
}
