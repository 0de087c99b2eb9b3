import type { Pool } from '../db/client';
import type { Stability } from './versions';

/** A release as the data plane needs it. */
export interface ReleaseRecord {
  version: string;
  versionNormalized: string;
  stability: Stability;
  /** The version object of p2 without `dist` and `time`. */
  metadata: Record<string, unknown>;
  archiveSha1: string;
  archiveSha256: string;
  archiveBytes: number;
  publishedAt: Date;
  withdrawnAt: Date | null;
  withdrawnReason: string | null;
}

export interface KnownPackage {
  id: string;
  name: string;
  revision: number;
  changedAt: Date;
  abandoned: boolean;
  replacement: string | null;
}

interface ReleaseRow {
  version: string;
  version_normalized: string;
  stability: Stability;
  metadata: Record<string, unknown>;
  archive_sha1: string;
  archive_sha256: string;
  archive_bytes: string;
  published_at: Date;
  withdrawn_at: Date | null;
  withdrawn_reason: string | null;
}

/** Every release of a package, withdrawn ones included, with the package's state of the same instant. */
export async function lookupReleases(
  pool: Pool,
  packageId: string,
): Promise<{ package: KnownPackage; releases: ReleaseRecord[] } | null> {
  const { rows } = await pool.query<{ package: KnownPackageRow; releases: ReleaseRow[] }>({
    name: 'package-with-releases',
    text: `select to_json(k) as package, coalesce(json_agg(to_json(r)) filter (where r.id is not null), '[]') as releases
           from packages k left join releases r on r.package_id = k.id
           where k.id = $1 group by k.id`,
    values: [packageId],
  });
  const row = rows[0];
  if (!row) return null;
  return {
    package: knownPackage(row.package),
    releases: row.releases.map((release) => ({
      version: release.version,
      versionNormalized: release.version_normalized,
      stability: release.stability,
      metadata: release.metadata,
      archiveSha1: release.archive_sha1,
      archiveSha256: release.archive_sha256,
      archiveBytes: Number(release.archive_bytes),
      publishedAt: new Date(release.published_at),
      withdrawnAt: release.withdrawn_at ? new Date(release.withdrawn_at) : null,
      withdrawnReason: release.withdrawn_reason,
    })),
  };
}

/** Null for a name that is not sold here. */
export async function lookupPackage(pool: Pool, name: string): Promise<KnownPackage | null> {
  const { rows } = await pool.query<{ package: KnownPackageRow }>({
    name: 'package-by-name',
    text: 'select to_json(k) as package from packages k where k.name = $1',
    values: [name],
  });
  return rows[0] ? knownPackage(rows[0].package) : null;
}

/** Those of these names that are sold here. */
export async function lookupSoldNames(pool: Pool, names: readonly string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ name: string }>({
    name: 'sold-names',
    text: 'select name from packages where name = any($1)',
    values: [names],
  });
  return new Set(rows.map((row) => row.name));
}

/** What `packages.json` claims: the vendor names of this installation, and when the newest package was added. */
export async function lookupClaims(pool: Pool): Promise<{ vendors: string[]; changedAt: Date | null }> {
  const { rows } = await pool.query<{ vendor: string; changed_at: Date }>({
    name: 'claimed-vendors',
    text: `select split_part(name, '/', 1) as vendor, max(created_at) as changed_at from packages group by 1 order by 1`,
  });
  return {
    vendors: rows.map((row) => row.vendor),
    changedAt: rows.length === 0 ? null : new Date(Math.max(...rows.map((row) => row.changed_at.getTime()))),
  };
}

interface KnownPackageRow {
  id: string;
  name: string;
  revision: number;
  changed_at: string;
  abandoned: boolean;
  replacement: string | null;
}

function knownPackage(row: KnownPackageRow): KnownPackage {
  return {
    id: row.id,
    name: row.name,
    revision: row.revision,
    changedAt: new Date(row.changed_at),
    abandoned: row.abandoned,
    replacement: row.replacement,
  };
}
