import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Prisma, Release } from '../db/generated/client';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import { newId } from '../kit/ids';
import type { App, Needs } from '../ports/app';
import { type InspectedArchive, inspectArchive } from './inspect';
import { lockPackages, noteDocumentsChanged } from './packages';

/** What was published never changes under its version: whoever installed it holds its hash in a lock file. */
export class VersionExists extends DomainError {
  constructor(
    readonly packageName: string,
    readonly release: Release,
    isSame: boolean,
  ) {
    super(
      'version-exists',
      isSame
        ? `${packageName} ${release.version} was withdrawn. Restore it; the archive is still here.`
        : `${packageName} ${release.version} is published already, with another archive. Publish the change under a new version.`,
    );
  }
}

export interface Publication {
  /** A zip on this machine. */
  file: string;
  /** Stand in for what the archive leaves out, and must agree with what it says. */
  name?: string;
  version?: string;
  by: Actor;
  /** Now, unless history is brought in. */
  publishedAt?: Date;
  notes?: string | null;
}

export interface Published {
  package: string;
  /** As written by its author. */
  version: string;
  versionNormalized: string;
  /** SHA-1 in hexadecimal: what Composer verifies. */
  shasum: string;
  archiveBytes: number;
  releaseId: string;
}

/**
 * Makes a release of an archive; the package is made with its first one. The same bytes under the same version again are
 * answered as the first time and change nothing. Of two publishers of one version exactly one wins.
 *
 * @throws {ArchiveRefused} where Composer could not install it; see `inspectArchive`
 * @throws {VersionExists} also for the same bytes where that release was withdrawn
 */
export async function publishArchive(
  app: Needs<'db' | 'clock' | 'env' | 'keys' | 'archive'> & Partial<Pick<App, 'commits'>>,
  { file, name, version, by, publishedAt, notes }: Publication,
): Promise<Published> {
  const inspected = await inspectArchive(file, { name, version });
  const { versionNormalized } = inspected;
  const before = await app.db.release.findFirst({ where: { versionNormalized, package: { name: inspected.name } } });
  if (before) return answerAgain(before, inspected);

  // Before the transaction, since copying takes its time; a crash in between leaves bytes that nobody refers to.
  await app.archive.put(inspected.sha256, file);

  return transact(app, async (tx) => {
    const [held] = await lockPackages(app, tx, [inspected.name], by);
    if (!held) throw new Error(`The package ${inspected.name} was neither found nor made.`);
    const meanwhile = await tx.release.findUnique({
      where: { packageId_versionNormalized: { packageId: held.id, versionNormalized } },
    });
    if (meanwhile) return answerAgain(meanwhile, inspected);

    const release = await tx.release.create({
      data: {
        id: newId('rel'),
        packageId: held.id,
        version: inspected.version,
        versionNormalized,
        stability: inspected.stability,
        metadata: inspected.metadata as Prisma.InputJsonObject,
        archiveSha256: inspected.sha256,
        archiveSha1: inspected.sha1,
        archiveBytes: inspected.archiveBytes,
        notes: notes ?? null,
        publishedAt: publishedAt ?? app.clock.now(),
      },
    });
    await noteDocumentsChanged(app, tx, held);
    await record(app, tx, {
      action: 'release.published',
      by,
      package: inspected.name,
      version: inspected.version,
      data: { release: release.id, sha256: inspected.sha256, archiveBytes: inspected.archiveBytes },
    });
    return published(release, inspected.name);
  });
}

function answerAgain(release: Release, inspected: InspectedArchive): Published {
  const isSame = release.archiveSha256 === inspected.sha256;
  if (!isSame || release.withdrawnAt) throw new VersionExists(inspected.name, release, isSame);
  return published(release, inspected.name);
}

function published(release: Release, packageName: string): Published {
  return {
    package: packageName,
    version: release.version,
    versionNormalized: release.versionNormalized,
    shasum: release.archiveSha1,
    archiveBytes: Number(release.archiveBytes),
    releaseId: release.id,
  };
}
