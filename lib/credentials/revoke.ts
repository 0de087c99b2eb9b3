import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Credential } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import type { Needs } from '../ports/app';

export class CredentialUnknown extends DomainError {
  constructor(readonly credentialId: string) {
    super('credential-unknown', `No credential has the id ${credentialId}.`);
  }
}

interface Revocation {
  credentialId: string;
  by: Actor;
  reason: string;
}

/** Stops a credential at once; its licenses stay as they are. Asked twice, answered once. */
export async function revokeCredential(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  revocation: Revocation,
): Promise<Credential> {
  return transact(app, (tx) => revokeWithin(app, tx, revocation));
}

/** As `revokeCredential`, in the caller's transaction. */
export async function revokeWithin(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  { credentialId, by, reason }: Revocation,
): Promise<Credential> {
  await lockRows(tx, 'credentials', [credentialId]);
  const credential = await tx.credential.findUnique({ where: { id: credentialId } });
  if (!credential) throw new CredentialUnknown(credentialId);
  if (credential.revokedAt) return credential;
  const now = app.clock.now();
  const revoked = await tx.credential.update({
    where: { id: credentialId },
    data: { revokedAt: now, revokedReason: reason, changedAt: now },
  });
  await record(app, tx, {
    action: 'credential.revoked',
    by,
    reason,
    credentialId,
    customerId: credential.customerId,
  });
  return revoked;
}
