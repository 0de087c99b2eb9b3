import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../kit/errors';
import { Archive, type ArchivedFile, ArchiveRefused, shown } from './archive';
import { type Contents, parseComposerJson, type ReleaseMetadata, releaseMetadata } from './metadata';
import { type PackageName, parsePackageName } from './names';
import { headerBytesMax, type PluginHeader, readPluginHeader } from './plugin-header';
import { normalizeVersion, type Stability, stabilityOf } from './versions';

export const composerJsonBytesMax = 1024 ** 2;

/** An archive that may become a release. */
export type InspectedArchive = {
  name: PackageName;
  /** As written by people (`v1.2`); `versionNormalized` (`1.2.0.0`) tells releases apart. */
  version: string;
  versionNormalized: string;
  stability: Stability;
  metadata: ReleaseMetadata;
  /** Hexadecimal; Composer's client verifies SHA-1 and knows no other. */
  sha1: string;
  sha256: string;
  archiveBytes: number;
};

/**
 * Reads a zip and decides whether Composer would install from it what its author meant: layout, composer.json, every
 * byte. Memory stays flat whatever the archive's size; nothing is written.
 *
 * `name` and `version` are what the publisher says. They stand in for what composer.json leaves out and must agree with
 * what it says. A WordPress plugin or theme without composer.json needs `name`; the rest comes from its header.
 *
 * @throws {ArchiveRefused} with a stable code and a sentence that names the entry or field at fault.
 */
export async function inspectArchive(
  file: string,
  given: { name?: string; version?: string } = {},
): Promise<InspectedArchive> {
  const handle = await openFile(file);
  try {
    const archive = await Archive.open(handle);
    const folder = packageFolder(archive);
    const metadata = await readMetadata(archive, folder, given);
    await archive.verify();
    return {
      name: metadata.name,
      version: metadata.version,
      versionNormalized: metadata.version_normalized,
      stability: stabilityOf(metadata.version_normalized),
      metadata,
      ...(await digests(handle)),
      archiveBytes: archive.bytes,
    };
  } finally {
    await handle.close();
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file, 'r');
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
  }
  throw new ArchiveRefused('archive-missing', `There is no file to read at ${shown(file)}.`);
}

/**
 * The prefix of the package's paths: empty, or its one folder with a slash. Composer takes a folder off exactly when it
 * stands alone at the top; in any other archive without composer.json there, what it would make is not what was meant.
 */
function packageFolder(archive: Archive): string {
  if (archive.file('composer.json')) return '';
  const [first, ...others] = archive.topPaths;
  if (first !== undefined && others.length === 0 && archive.hasFolder(first)) return `${first}/`;
  const stray = archive.topPaths.find((path) => !archive.hasFolder(path)) ?? others[0] ?? '';
  throw new ArchiveRefused(
    'archive-layout',
    `composer.json is not at the top of the archive, and ${shown(stray)} stands beside other entries there: put everything into one folder, or composer.json at the top.`,
  );
}

async function readMetadata(
  archive: Archive,
  folder: string,
  given: { name?: string; version?: string },
): Promise<ReleaseMetadata> {
  const composerJson = archive.file(`${folder}composer.json`);
  if (composerJson === undefined) return bareMetadata(archive, folder, given);
  if (composerJson.unpackedBytes > composerJsonBytesMax) {
    throw new ArchiveRefused(
      'composer-json-too-large',
      `${shown(composerJson.path)} has ${composerJson.unpackedBytes} bytes; at most ${composerJsonBytesMax} are accepted.`,
    );
  }
  const json = parseComposerJson(await archive.read(composerJson));
  const name = agreedName(json.name, given.name);
  return releaseMetadata(
    json,
    { name, ...agreedVersion(json.version, given.version, 'composer.json') },
    contents(archive, folder),
  );
}

/** A WordPress plugin or theme as its author zips it: one folder, no composer.json, facts in a comment. */
async function bareMetadata(
  archive: Archive,
  folder: string,
  given: { name?: string; version?: string },
): Promise<ReleaseMetadata> {
  const [header, path] = await findHeader(archive, folder);
  if (header === null) {
    const elsewhere = [...archive.files].find(({ path }) => path.endsWith('/composer.json'));
    const hint = elsewhere
      ? `the one at ${shown(elsewhere.path)} is deeper than Composer looks`
      : 'no WordPress plugin or theme header was found either';
    throw new ArchiveRefused(
      'composer-json-missing',
      `There is no composer.json at the top of the archive or of its one folder, and ${hint}.`,
    );
  }
  if (given.name === undefined) {
    throw new ArchiveRefused(
      'name-missing',
      `There is no composer.json, only the WordPress header of ${shown(path)}; pass the package's name (--name vendor/name).`,
    );
  }
  const name = agreedName(undefined, given.name);
  const php = /^\d+(?:\.\d+){0,2}$/.exec(header.requiresPhp ?? '')?.[0];
  const json = {
    type: header.type,
    description: header.description,
    license: header.license,
    homepage: header.homepage,
    authors: header.author ? [{ name: header.author, homepage: header.authorUri }] : [],
    require: php ? { php: `>=${php}` } : {},
  };
  const identity = {
    name,
    ...agreedVersion(header.version ?? undefined, given.version, `the header of ${shown(path)}`),
  };
  return releaseMetadata(json, identity, contents(archive, folder));
}

/** The header of the file named like its folder, else of the first that has one: WordPress expects a single one. */
async function findHeader(archive: Archive, folder: string): Promise<[PluginHeader, string] | [null, null]> {
  const own = `${folder}${folder.slice(0, -1)}.php`;
  const candidates: ArchivedFile[] = [];
  for (const file of archive.files) {
    const fileName = file.path.slice(folder.length);
    if (file.path.startsWith(folder) && /^[^/]+\.php$|^style\.css$/i.test(fileName)) candidates.push(file);
  }
  candidates.sort((a, b) => Number(b.path === own) - Number(a.path === own) || (a.path < b.path ? -1 : 1));
  for (const file of candidates) {
    const text = (await archive.read(file, headerBytesMax)).toString('utf8');
    const header = readPluginHeader(file.path.slice(folder.length), text);
    if (header) return [header, file.path];
  }
  return [null, null];
}

function agreedName(inArchive: unknown, given: string | undefined): PackageName {
  if (inArchive !== undefined && inArchive !== null && typeof inArchive !== 'string') {
    throw new ArchiveRefused('name-invalid', 'The name in composer.json is not text.');
  }
  const text = inArchive || given;
  if (!text) {
    throw new ArchiveRefused('name-missing', 'composer.json has no name; add one, or pass it (--name vendor/name).');
  }
  const name = parsePackageName(text);
  if (name === null) {
    throw new ArchiveRefused('name-invalid', `${shown(text)} is no package name; write vendor/name in lower case.`);
  }
  if (given !== undefined && given !== name) {
    throw new ArchiveRefused('name-mismatch', `composer.json names the package ${shown(name)}, not ${shown(given)}.`);
  }
  return name;
}

// Composer would read some of these; in a URL, a file name or a lock file they cannot be told from something else.
const unusableInVersion = /[\s#%?*<>|\\"'`]|\.\.|\/\/|\/$/;

function agreedVersion(
  inArchive: unknown,
  given: string | undefined,
  where: string,
): { version: string; versionNormalized: string } {
  if (inArchive !== undefined && inArchive !== null && typeof inArchive !== 'string') {
    throw new ArchiveRefused('version-invalid', `The version in ${where} is not text.`);
  }
  const text = (given ?? (inArchive || undefined))?.trim();
  if (text === undefined) {
    throw new ArchiveRefused('version-missing', `No version is given: ${where} has none; pass it (--version 1.2.0).`);
  }
  const versionNormalized = unusableInVersion.test(text) ? null : normalizeVersion(text);
  if (versionNormalized === null) {
    throw new ArchiveRefused(
      'version-invalid',
      `${shown(text)} is no version that Composer reads; write it like 1.2.0, 1.2.0-beta1 or dev-main.`,
    );
  }
  if (inArchive && normalizeVersion(inArchive) !== versionNormalized) {
    throw new ArchiveRefused(
      'version-mismatch',
      `The version is ${shown(text)}, but ${where} says ${shown(inArchive)}.`,
    );
  }
  return { version: text, versionNormalized };
}

function contents(archive: Archive, folder: string): Contents {
  return {
    hasFile: (path) => archive.file(folder + path) !== undefined,
    hasFolder: (path) => path === '' || archive.hasFolder(folder + path),
  };
}

async function digests(handle: FileHandle): Promise<{ sha1: string; sha256: string }> {
  const sha1 = createHash('sha1');
  const sha256 = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 })) {
    sha1.update(chunk as Buffer);
    sha256.update(chunk as Buffer);
  }
  return { sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
}
