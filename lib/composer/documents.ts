import { gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import {
  type KnownPackage,
  lookupClaims,
  lookupPackage,
  lookupReleases,
  lookupSoldNames,
  type ReleaseRecord,
} from '../catalog/lookup';
import { minifiedMark, minify } from '../catalog/minify';
import { compareVersions } from '../catalog/versions';
import type { PackageRecord } from '../credentials/lookup';
import { errorCode } from '../kit/errors';
import { absolute, paths } from '../paths';
import type { Reach } from './reach';
import { type Entitlement, releaseVerdict } from './verdict';

const FRESH_MS = 1_000;
const SHELVED_MAX = 20_000;
const DOCUMENT_BYTES_MAX = 128 * 1_048_576;
const NAMES_MAX = 20_000;
/** Below this a gzip header costs more than it saves. */
const GZIP_FROM_BYTES = 500;

export interface JsonDocument {
  json: Buffer;
  /** Null where it would not be smaller. */
  gzip: Buffer | null;
}

/** A package with all its releases as of one revision. */
export interface ShelvedPackage {
  package: KnownPackage;
  byVersion: Map<string, ReleaseRecord>;
  newestFirst: ReleaseRecord[];
}

export interface Claims {
  document: JsonDocument;
  changedAt: Date | null;
}

/** What is sold, as bytes: read once per revision, made once per view of it. Answers null where the database is away and nothing is kept. */
export interface Shelf {
  shelved(wanted: PackageRecord): ShelvedPackage | Promise<ShelvedPackage | null>;
  /** The releases that entitlements let through: `dev` chooses between `~dev.json` and the plain document. */
  document(
    shelved: ShelvedPackage,
    entitlements: readonly Entitlement[],
    signature: string,
    dev: boolean,
  ): JsonDocument;
  /** Whether a name is sold here at all; `away` where nobody can tell. */
  isSold(name: string): Promise<KnownPackage | null | 'away'>;
  /** Those of these names that are sold here, by one read; `away` where nobody can tell. */
  soldAmong(names: readonly string[]): Promise<Set<string> | 'away'>;
  claims(): Promise<Claims | null>;
}

/** A document that claims a name and holds no version, with the reason for the terminal. */
export function emptyDocument(name: string, warning: string): JsonDocument {
  return jsonDocument({ packages: { [name]: [] }, warning });
}

export function jsonDocument(value: unknown): JsonDocument {
  const json = Buffer.from(JSON.stringify(value));
  const gzip = json.length < GZIP_FROM_BYTES ? null : gzipSync(json, { level: 6 });
  return { json, gzip: gzip && gzip.length < json.length ? gzip : null };
}

export function openShelf(appUrl: string, reach: Reach): Shelf {
  const packages = new LRUCache<string, ShelvedPackage>({ max: SHELVED_MAX });
  const loading = new Map<string, Promise<ShelvedPackage | null>>();
  const documents = new LRUCache<string, JsonDocument>({
    maxSize: DOCUMENT_BYTES_MAX,
    sizeCalculation: (document) => document.json.length + (document.gzip?.length ?? 0) + 200,
  });
  const names = new LRUCache<string, { sold: KnownPackage | null; readAtMs: number }>({ max: NAMES_MAX });
  let claims: { value: Claims; readAtMs: number } | null = null;
  let claiming: Promise<Claims | null> | null = null;

  const load = async (wanted: PackageRecord): Promise<ShelvedPackage | null> => {
    const found = await unlessAway(reach.read((pool) => lookupReleases(pool, wanted.id)));
    // Away: an older revision still installs what it lists.
    if (found === 'away') return packages.get(wanted.id) ?? null;
    if (!found) return null;
    const newestFirst = [...found.releases].sort((a, b) => compareVersions(b.versionNormalized, a.versionNormalized));
    const shelved = {
      package: found.package,
      newestFirst,
      byVersion: new Map(newestFirst.map((release) => [release.versionNormalized, release])),
    };
    packages.set(wanted.id, shelved);
    return shelved;
  };

  const readClaims = async (): Promise<Claims | null> => {
    const found = await unlessAway(reach.read(lookupClaims));
    if (found === 'away') return claims?.value ?? null;
    const value = { document: jsonDocument(rootDocument(appUrl, found.vendors)), changedAt: found.changedAt };
    claims = { value, readAtMs: performance.now() };
    return value;
  };

  return {
    shelved(wanted) {
      const present = packages.get(wanted.id);
      if (present && present.package.revision >= wanted.revision) return present;
      const flight = `${wanted.id} ${wanted.revision}`;
      const underway = loading.get(flight);
      if (underway) return underway;
      const started = load(wanted).finally(() => loading.delete(flight));
      loading.set(flight, started);
      return started;
    },
    document(shelved, entitlements, signature, dev) {
      const { id, revision, name } = shelved.package;
      const key = `${id} ${revision} ${dev ? 'dev' : ''} ${signature}`;
      const made = documents.get(key);
      if (made) return made;
      const visible = shelved.newestFirst.filter(
        (release) =>
          (release.stability === 'dev') === dev &&
          !release.withdrawnAt &&
          'licenseId' in releaseVerdict(entitlements, release),
      );
      const document = jsonDocument({
        packages: { [name]: minify(visible.map((release) => versionObject(appUrl, shelved.package, release))) },
        minified: minifiedMark,
      });
      documents.set(key, document);
      return document;
    },
    async isSold(name) {
      const known = names.get(name);
      if (known && performance.now() - known.readAtMs < FRESH_MS) return known.sold;
      const sold = await unlessAway(reach.read((pool) => lookupPackage(pool, name)));
      if (sold === 'away') return known ? known.sold : 'away';
      names.set(name, { sold, readAtMs: performance.now() });
      return sold;
    },
    async soldAmong(wanted) {
      if (wanted.length === 0) return new Set();
      return unlessAway(reach.read((pool) => lookupSoldNames(pool, wanted)));
    },
    async claims() {
      if (claims && performance.now() - claims.readAtMs < FRESH_MS) return claims.value;
      claiming ??= readClaims().finally(() => {
        claiming = null;
      });
      return claiming;
    },
  };
}

async function unlessAway<T>(read: Promise<T>): Promise<T | 'away'> {
  try {
    return await read;
  } catch (error) {
    if (errorCode(error) === 'database-away') return 'away';
    throw error;
  }
}

/** `packages.json`. Absolute where Composer would otherwise copy userinfo of the repository URL into composer.lock. */
function rootDocument(appUrl: string, vendors: readonly string[]): Record<string, unknown> {
  return {
    packages: [],
    'metadata-url': paths.composerMetadata(),
    // An empty list would mean "no list": Composer would then ask us for every name of the project.
    'available-package-patterns': vendors.length > 0 ? vendors.map((vendor) => `${vendor}/*`) : ['latchkey-empty/*'],
    'notify-batch': absolute(appUrl, paths.composerDownloads()),
    search: `${paths.composerSearch()}?q=%query%&type=%type%`,
    list: paths.composerList(),
  };
}

/** One entry of p2 (composer-protocol 3.2). No `source`: Composer before 2.10 would clone it after a refused dist. */
function versionObject(appUrl: string, of: KnownPackage, release: ReleaseRecord): Record<string, unknown> {
  return {
    ...release.metadata,
    name: of.name,
    version: release.version,
    version_normalized: release.versionNormalized,
    time: release.publishedAt.toISOString().replace(/\.\d{3}Z$/, '+00:00'),
    dist: {
      type: 'zip',
      url: absolute(appUrl, paths.composerDist(of.name, release.versionNormalized, release.archiveSha1)),
      reference: release.archiveSha1,
      shasum: release.archiveSha1,
    },
    ...(of.abandoned ? { abandoned: of.replacement ?? true } : {}),
  };
}
