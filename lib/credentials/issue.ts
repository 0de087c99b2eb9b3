import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Credential, License } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import { newId, randomLower } from '../kit/ids';
import { keyedDigest, tokenHash } from '../kit/seal';
import { newSecret, type Secret } from '../kit/secret';
import { standing } from '../licenses/license';
import { LicenseUnknown } from '../licenses/revoke';
import type { Needs } from '../ports/app';

/** A new secret with the three one-way forms of it that are stored. */
export interface MintedSecret {
  secret: Secret;
  hash: string;
  digest: Buffer;
  digestKeyId: string;
  lookup: Buffer;
}

export class CredentialLimitReached extends DomainError {
  constructor(
    readonly licenseId: string,
    readonly limit: number,
  ) {
    super(
      'credential-limit-reached',
      `The license ${licenseId} already has ${limit} credentials. Revoke one to issue another.`,
    );
  }
}

export class LicenseGivesNothing extends DomainError {
  constructor(
    readonly licenseId: string,
    readonly why: string,
  ) {
    super('license-gives-nothing', `The license ${licenseId} is ${why}, so no credential can be issued for it.`);
  }
}

export class LicensesOfSeveralCustomers extends DomainError {
  constructor() {
    super('licenses-of-several-customers', 'A credential opens licenses of one customer; these belong to several.');
  }
}

/** Makes secrets *before* a transaction: the slow hash takes 60 ms each, in its own thread. */
export async function mintSecrets(app: Needs<'keys' | 'passwords'>, count: number): Promise<MintedSecret[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const secret = newSecret();
      return {
        secret,
        hash: await app.passwords.hash(secret),
        digest: keyedDigest(app.keys.current.digest, secret.reveal()),
        digestKeyId: app.keys.current.id,
        lookup: secretLookup(secret),
      };
    }),
  );
}

/** The first 6 bytes of a secret's SHA-256: finds its row where no username is given. */
export function secretLookup(secret: Secret): Buffer {
  return tokenHash(secret.reveal()).subarray(0, 6);
}

export interface CredentialOrder {
  customerId: string;
  licenseIds: readonly string[];
  /** Goes into the username of a credential for one license. */
  productSlug: string;
  label?: string | null;
  by: Actor;
  expiresAt?: Date | null;
  addressList?: string[];
  replacesId?: string;
}

/** Makes a credential in the caller's transaction, which answers for limits and permissions. */
export async function issueCredential(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  minted: MintedSecret,
  order: CredentialOrder,
): Promise<Credential> {
  const now = app.clock.now();
  const credential = await tx.credential.create({
    data: {
      id: newId('crd'),
      customerId: order.customerId,
      username: `lk-${order.licenseIds.length > 1 ? 'set' : order.productSlug}-${randomLower(8)}`,
      secretHash: minted.hash,
      secretDigest: new Uint8Array(minted.digest),
      digestKeyId: minted.digestKeyId,
      secretLookup: new Uint8Array(minted.lookup),
      label: order.label ?? null,
      issuedAt: now,
      expiresAt: order.expiresAt ?? null,
      addressList: order.addressList ?? [],
      replacesId: order.replacesId ?? null,
      changedAt: now,
      bindings: { create: order.licenseIds.map((licenseId) => ({ licenseId, boundAt: now })) },
    },
  });
  await record(app, tx, {
    action: 'credential.issued',
    by: order.by,
    customerId: order.customerId,
    credentialId: credential.id,
    licenseId: order.licenseIds.length === 1 ? order.licenseIds[0] : null,
    data: { username: credential.username, licenses: [...order.licenseIds], label: order.label ?? null },
  });
  return credential;
}

/**
 * Issues a credential for licenses of one customer, by hand of staff or customer.
 *
 * @throws {LicenseUnknown} {LicensesOfSeveralCustomers} {LicenseGivesNothing} {CredentialLimitReached}
 */
export async function issueCredentialFor(
  app: Needs<'db' | 'clock' | 'env' | 'keys' | 'passwords'>,
  order: { licenseIds: readonly string[]; label?: string | null; by: Actor },
): Promise<{ credential: Credential; secret: Secret }> {
  const [minted] = await mintSecrets(app, 1);
  if (!minted) throw new Error('No secret was made.');
  const credential = await transact(app, async (tx) => {
    await lockRows(tx, 'licenses', order.licenseIds);
    const licenses = await tx.license.findMany({
      where: { id: { in: [...order.licenseIds] } },
      include: { product: true },
    });
    for (const id of order.licenseIds) {
      if (!licenses.some((license) => license.id === id)) throw new LicenseUnknown(id);
    }
    const [first] = licenses;
    if (!first) throw new LicenseUnknown('(none given)');
    if (licenses.some((license) => license.customerId !== first.customerId)) throw new LicensesOfSeveralCustomers();
    for (const license of licenses) {
      refuseEnded(license, app.clock.now());
      await refuseOverLimit(app, tx, license.id, license.product.credentialsPerLicense);
    }
    return issueCredential(app, tx, minted, {
      customerId: first.customerId,
      licenseIds: licenses.map((license) => license.id),
      productSlug: first.product.slug,
      label: order.label,
      by: order.by,
    });
  });
  return { credential, secret: minted.secret };
}

/** Over for good, as far as the license itself can tell: a suspended one may come back. */
export function isOver(license: License, at: Date): boolean {
  const now = standing(license, at);
  return now === 'refunded' || now === 'revoked' || (now === 'lapsed' && license.lapse === 'stop');
}

/** @throws {LicenseGivesNothing} for a license that is over for good */
export function refuseEnded(license: License, at: Date): void {
  if (isOver(license, at)) throw new LicenseGivesNothing(license.id, standing(license, at));
}

/** @throws {CredentialLimitReached} where as many credentials as the product allows work for the license already */
export async function refuseOverLimit(app: Needs<'clock'>, tx: Tx, licenseId: string, limit: number): Promise<void> {
  const now = app.clock.now();
  const working = await tx.credentialLicense.count({
    where: {
      licenseId,
      credential: {
        revokedAt: null,
        AND: [
          { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
          { OR: [{ overlapEndsAt: null }, { overlapEndsAt: { gt: now } }] },
        ],
      },
    },
  });
  if (working >= limit) throw new CredentialLimitReached(licenseId, limit);
}
