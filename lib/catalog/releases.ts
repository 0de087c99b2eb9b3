import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Package, Release } from '../db/generated/client';
import { lockRows } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import type { App, Needs } from '../ports/app';
import { noteDocumentsChanged } from './packages';
import { normalizeVersion } from './versions';

export type { Release };

export class ReleaseUnknown extends DomainError {
  constructor(
    readonly packageName: string,
    readonly version: string,
  ) {
    super('release-unknown', `There is no release ${version} of ${packageName}.`);
  }
}

type World = Needs<'db' | 'clock' | 'env' | 'keys'> & Partial<Pick<App, 'commits'>>;

interface ReleaseSubject {
  package: string;
  /** In any of Composer's spellings. */
  version: string;
  by: Actor;
}

/**
 * Takes a release out of the documents; whoever still asks for its archive is told why. The archive stays. Asked twice,
 * answered once.
 *
 * @throws {ReleaseUnknown}
 */
export async function withdrawRelease(
  app: World,
  { reason, ...subject }: ReleaseSubject & { reason: string },
): Promise<Release> {
  return change(app, subject, 'release.withdrawn', reason, (release) =>
    release.withdrawnAt ? null : { withdrawnAt: app.clock.now(), withdrawnReason: reason },
  );
}

/**
 * Puts a withdrawn release back. Asked twice, answered once.
 *
 * @throws {ReleaseUnknown}
 */
export async function restoreRelease(app: World, subject: ReleaseSubject): Promise<Release> {
  return change(app, subject, 'release.restored', null, (release) =>
    release.withdrawnAt ? { withdrawnAt: null, withdrawnReason: null } : null,
  );
}

/** @param decide what becomes of the release, or null where it is so already */
async function change(
  app: World,
  subject: ReleaseSubject,
  action: 'release.withdrawn' | 'release.restored',
  reason: string | null,
  decide: (release: Release) => Pick<Release, 'withdrawnAt' | 'withdrawnReason'> | null,
): Promise<Release> {
  return transact(app, async (tx) => {
    const held = await lockPackage(tx, subject);
    const versionNormalized = normalizeVersion(subject.version);
    const release =
      versionNormalized &&
      (await tx.release.findUnique({
        where: { packageId_versionNormalized: { packageId: held.id, versionNormalized } },
      }));
    if (!release) throw new ReleaseUnknown(subject.package, subject.version);
    const data = decide(release);
    if (!data) return release;
    const changed = await tx.release.update({ where: { id: release.id }, data });
    await noteDocumentsChanged(app, tx, held);
    await record(app, tx, {
      action,
      by: subject.by,
      reason,
      package: held.name,
      version: release.version,
      data: { release: release.id },
    });
    return changed;
  });
}

async function lockPackage(tx: Tx, subject: ReleaseSubject): Promise<Package> {
  const known = await tx.package.findUnique({ where: { name: subject.package }, select: { id: true } });
  if (!known) throw new ReleaseUnknown(subject.package, subject.version);
  await lockRows(tx, 'packages', [known.id]);
  return tx.package.findUniqueOrThrow({ where: { id: known.id } });
}
