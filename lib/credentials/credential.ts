import type { Credential } from '../db/generated/client';

export type { Credential };

/** A credential's own condition, whatever its licenses say. */
export type CredentialStanding = 'working' | 'revoked' | 'rotated' | 'overlap-over' | 'expired';

export type CredentialFacts = Pick<Credential, 'revokedAt' | 'revokedReason' | 'overlapEndsAt' | 'expiresAt'>;

/** Pure, of (credential, instant); it still works *at* its expiry and at the end of its overlap. */
export function credentialStanding(credential: CredentialFacts, at: Date): CredentialStanding {
  if (credential.revokedAt && credential.revokedAt <= at) {
    return credential.revokedReason === ROTATED ? 'rotated' : 'revoked';
  }
  if (credential.overlapEndsAt && at > credential.overlapEndsAt) return 'overlap-over';
  if (credential.expiresAt && at > credential.expiresAt) return 'expired';
  return 'working';
}

/** The reason written where a successor took over at once. */
export const ROTATED = 'rotated';
