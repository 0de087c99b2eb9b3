import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Credential } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { addDays } from '../kit/clock';
import { DomainError } from '../kit/errors';
import type { Secret } from '../kit/secret';
import { sendLater } from '../mail/deliver';
import type { Needs } from '../ports/app';
import { credentialStanding, ROTATED } from './credential';
import { issueCredential, mintSecrets } from './issue';
import { CredentialUnknown } from './revoke';

export const OVERLAP_DAYS_MAX = 90;

export class CredentialNotWorking extends DomainError {
  constructor(
    readonly credential: Credential,
    successor: Pick<Credential, 'username'> | null = null,
  ) {
    super(
      'credential-not-working',
      successor
        ? `The credential ${credential.username} was replaced by ${successor.username} already.`
        : `The credential ${credential.username} no longer works.`,
    );
  }
}

export class OverlapOutOfRange extends DomainError {
  constructor(readonly days: number) {
    super(
      'overlap-out-of-range',
      `An overlap lasts from 0 to ${OVERLAP_DAYS_MAX} whole days; ${days} is not possible.`,
    );
  }
}

interface Rotation {
  credentialId: string;
  by: Actor;
  /** 0: the old one, and any older one still in overlap, stops in the same transaction. Otherwise both work so long. */
  overlapDays: number;
}

/**
 * Replaces a credential by a successor for the same licenses, with the same label and address list and a new username.
 * At most one predecessor is in overlap at a time: an older one stops now.
 *
 * @throws {OverlapOutOfRange} {CredentialUnknown} {CredentialNotWorking} where it was replaced or stopped already
 */
export async function rotateCredential(
  app: Needs<'db' | 'clock' | 'env' | 'keys' | 'passwords'>,
  { credentialId, by, overlapDays }: Rotation,
): Promise<{ credential: Credential; secret: Secret }> {
  if (!Number.isInteger(overlapDays) || overlapDays < 0 || overlapDays > OVERLAP_DAYS_MAX) {
    throw new OverlapOutOfRange(overlapDays);
  }
  const [minted] = await mintSecrets(app, 1);
  if (!minted) throw new Error('No secret was made.');
  const credential = await transact(app, async (tx) => {
    await lockRows(tx, 'credentials', [credentialId]);
    const old = await tx.credential.findUnique({
      where: { id: credentialId },
      include: { replacedBy: true, bindings: { include: { license: { include: { product: true } } } } },
    });
    if (!old) throw new CredentialUnknown(credentialId);
    const now = app.clock.now();
    if (credentialStanding(old, now) !== 'working' || old.replacedBy)
      throw new CredentialNotWorking(old, old.replacedBy);

    const successor = await issueCredential(app, tx, minted, {
      customerId: old.customerId,
      licenseIds: old.bindings.map((binding) => binding.licenseId),
      productSlug: old.bindings[0]?.license.product.slug ?? 'set',
      label: old.label,
      by,
      expiresAt: old.expiresAt,
      addressList: old.addressList,
      replacesId: old.id,
    });
    if (overlapDays === 0) {
      await stop(tx, old.id, now);
    } else {
      await tx.credential.update({
        where: { id: old.id },
        data: { overlapEndsAt: addDays(now, overlapDays), changedAt: now },
      });
    }
    await stopOlder(tx, old, now);
    await record(app, tx, {
      action: 'credential.rotated',
      by,
      customerId: old.customerId,
      credentialId: old.id,
      data: { successor: successor.id, username: successor.username, overlapDays },
    });
    await tellOwner(app, tx, old, successor, by, overlapDays === 0 ? null : addDays(now, overlapDays));
    return successor;
  });
  return { credential, secret: minted.secret };
}

/** Whoever owns the account learns of every replacement, so that one they did not ask for is noticed. No secret is in it. */
async function tellOwner(
  app: Needs<'clock' | 'keys'>,
  tx: Tx,
  old: Credential,
  successor: Credential,
  by: Actor,
  overlapEndsAt: Date | null,
): Promise<void> {
  const customer = await tx.customer.findUnique({ where: { id: old.customerId }, select: { email: true } });
  if (!customer?.email) return;
  const member = by.kind === 'member' ? await tx.user.findUnique({ where: { id: by.userId } }) : null;
  await sendLater(app, tx, {
    kind: 'credential-rotated',
    to: customer.email,
    customerId: old.customerId,
    dedupeKey: successor.id,
    props: {
      credentialId: successor.id,
      username: successor.username,
      label: successor.label,
      replacedUsername: old.username,
      by: member?.email ?? 'the support team',
      rotatedAt: successor.issuedAt.toISOString(),
      overlapEndsAt: overlapEndsAt?.toISOString() ?? null,
    },
  });
}

async function stop(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.credential.update({ where: { id }, data: { revokedAt: at, revokedReason: ROTATED, changedAt: at } });
}

/** Whoever leaked the newer one may hold the older one too. */
async function stopOlder(tx: Tx, credential: Credential, at: Date): Promise<void> {
  let olderId = credential.replacesId;
  while (olderId) {
    const older: Credential | null = await tx.credential.findUnique({ where: { id: olderId } });
    if (!older) return;
    if (credentialStanding(older, at) === 'working') await stop(tx, older.id, at);
    olderId = older.replacesId;
  }
}
