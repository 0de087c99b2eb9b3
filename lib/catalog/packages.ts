import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Package } from '../db/generated/client';
import { lockName, lockRows } from '../db/locks';
import { newId } from '../kit/ids';
import type { Needs } from '../ports/app';
import type { PackageName } from './names';
import { newestFirst } from './versions';

export type { Package };

/**
 * The packages of these names, made where there are none yet, in the order asked for; the caller's transaction holds them
 * all until it ends. From then on the name belongs to this installation: it is claimed even without a release.
 */
export async function lockPackages(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  names: readonly PackageName[],
  by: Actor,
): Promise<Package[]> {
  // Sorted, so that two commands that want the same names never wait for each other in a circle. A name without a row
  // has nothing to lock but itself.
  const sorted = [...new Set(names)].sort();
  for (const name of sorted) await lockName(tx, `package:${name}`);
  const known = await tx.package.findMany({ where: { name: { in: sorted } }, select: { id: true } });
  const knownIds = known.map(({ id }) => id);
  await lockRows(tx, 'packages', knownIds);
  const present = await tx.package.findMany({ where: { id: { in: knownIds } } });
  const byName = new Map(present.map((each) => [each.name, each]));

  const now = app.clock.now();
  for (const name of sorted) {
    if (byName.has(name)) continue;
    const made = await tx.package.create({ data: { id: newId('pkg'), name, createdAt: now, changedAt: now } });
    await record(app, tx, { action: 'package.created', by, package: name, data: { package: made.id } });
    byName.set(name, made);
  }
  return names.flatMap((name) => byName.get(name) ?? []);
}

/**
 * Notes that a locked package's documents say something else now, and takes type and description from its newest release
 * that was not withdrawn: the newest stable one, or where there is none the newest of all.
 */
export async function noteDocumentsChanged(app: Needs<'clock'>, tx: Tx, changed: Package): Promise<void> {
  const releases = await tx.release.findMany({
    where: { packageId: changed.id, withdrawnAt: null },
    select: { id: true, versionNormalized: true, stability: true },
  });
  const stable = releases.filter((release) => release.stability === 'stable');
  const candidates = stable.length > 0 ? stable : releases;
  const [newest] = newestFirst(candidates.map((release) => release.versionNormalized));
  const newestId = candidates.find((release) => release.versionNormalized === newest)?.id;
  await tx.package.update({
    where: { id: changed.id },
    data: {
      ...(newestId ? await typeAndDescription(tx, newestId) : {}),
      revision: { increment: 1 },
      // Last-Modified counts in seconds, so two changes must never share one.
      changedAt: new Date(Math.max(app.clock.now().getTime(), changed.changedAt.getTime() + 1_000)),
    },
  });
}

async function typeAndDescription(
  tx: Tx,
  releaseId: string,
): Promise<{ type: string | null; description: string | null }> {
  const { metadata } = await tx.release.findUniqueOrThrow({ where: { id: releaseId }, select: { metadata: true } });
  const { type, description } = metadata as { type?: unknown; description?: unknown };
  return {
    type: typeof type === 'string' ? type : null,
    description: typeof description === 'string' ? description : null,
  };
}
