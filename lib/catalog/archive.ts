import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { DomainError, errorCode, isDomainError } from '../kit/errors';

/** What an archive may hold. Everything is checked from its table of contents before a byte is unpacked. */
export const archiveLimits = {
  archiveBytesMax: 1024 ** 3,
  unpackedBytesMax: 4 * 1024 ** 3,
  /** Composer itself refuses more than 99 % compression, above a size at which that cannot be a few empty tables. */
  ratioMax: 100,
  ratioFreeBytes: 50 * 1024 ** 2,
  entriesMax: 50_000,
  /** Files and folders together, since a few long paths can name very many folders. */
  pathsMax: 100_000,
  pathBytesMax: 1024,
  pathPartBytesMax: 255,
} as const;

export type ArchiveFault =
  | 'archive-missing'
  | 'archive-not-a-zip'
  | 'archive-damaged'
  | 'archive-empty'
  | 'archive-too-large'
  | 'archive-bomb'
  | 'archive-layout'
  | 'entry-encrypted'
  | 'entry-compression'
  | 'entry-overlap'
  | 'entry-name'
  | 'entry-path'
  | 'entry-special'
  | 'entry-duplicate'
  | 'entry-collision'
  | 'composer-json-missing'
  | 'composer-json-too-large'
  | 'composer-json-unreadable'
  | 'composer-json-field'
  | 'name-missing'
  | 'name-invalid'
  | 'name-mismatch'
  | 'version-missing'
  | 'version-invalid'
  | 'version-mismatch'
  | 'type-invalid'
  | 'link-invalid'
  | 'autoload-invalid'
  | 'bin-invalid';

/** The archive cannot become a release; nothing was kept of it. The sentence names the entry or field at fault. */
export class ArchiveRefused extends DomainError {
  declare readonly code: ArchiveFault;

  constructor(code: ArchiveFault, message: string) {
    super(code, message);
    this.name = 'ArchiveRefused';
  }
}

export type ArchivedFile = {
  readonly path: string;
  readonly unpackedBytes: number;
  readonly packedBytes: number;
  readonly isDeflated: boolean;
  readonly crc32: number;
  readonly offset: number;
};

/** A zip whose table of contents was found sound. Paths are those of the archive, folders without a trailing slash. */
export class Archive {
  private readonly held = new Map<string, { path: string; isFolder: boolean }>();
  private readonly fileByPath = new Map<string, ArchivedFile>();

  private constructor(
    private readonly handle: FileHandle,
    private readonly zip: ZipFile,
    readonly bytes: number,
  ) {}

  /**
   * Reads the table of contents. Refuses what is no zip, damaged or encrypted, what would leave the folder that it is
   * unpacked into or read differently on another system (absolute, `..`, backslash, link, double, differing by case
   * only, no UTF-8), and what unpacks to more than `archiveLimits` allow.
   */
  static async open(handle: FileHandle): Promise<Archive> {
    const { size } = await handle.stat();
    if (size > archiveLimits.archiveBytesMax) {
      throw new ArchiveRefused(
        'archive-too-large',
        `The archive has ${size} bytes; at most ${archiveLimits.archiveBytesMax} are accepted.`,
      );
    }
    const start = Buffer.alloc(4);
    await handle.read(start, 0, 4, 0);
    if (start.toString('latin1') === 'PK\x05\x06') throw new ArchiveRefused('archive-empty', 'The archive is empty.');
    if (start.toString('latin1') !== 'PK\x03\x04') {
      throw new ArchiveRefused('archive-not-a-zip', 'The file is not a zip archive.');
    }
    const zip = await orDamaged(() => fromFdPromise(handle.fd, { autoClose: false, decodeStrings: false }));
    const archive = new Archive(handle, zip, size);
    await orDamaged(() => archive.readContents());
    return archive;
  }

  get files(): IterableIterator<ArchivedFile> {
    return this.fileByPath.values();
  }

  file(path: string): ArchivedFile | undefined {
    return this.fileByPath.get(path);
  }

  hasFolder(path: string): boolean {
    const held = this.held.get(folded(path));
    return held?.isFolder === true && held.path === path;
  }

  /** Every path that is not inside another: what a plain unpacking puts into the target folder. */
  get topPaths(): string[] {
    const tops: string[] = [];
    for (const { path } of this.held.values()) if (!path.includes('/')) tops.push(path);
    return tops;
  }

  /** The beginning of a file, or all of it. A file that does not agree with the table of contents is refused. */
  async read(file: ArchivedFile, bytesMax = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    await this.unpack(file, (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      return bytes < bytesMax;
    });
    return Buffer.concat(chunks).subarray(0, bytesMax === Number.POSITIVE_INFINITY ? undefined : bytesMax);
  }

  /** Unpacks everything once, keeping nothing, and refuses the archive if any file is not what it says it is. */
  async verify(): Promise<void> {
    for (const file of this.files) {
      let sum = 0;
      await this.unpack(file, (chunk) => {
        sum = crc32(chunk, sum);
        return true;
      });
      if (sum !== file.crc32) throw damaged(`${shown(file.path)} does not match its checksum`);
    }
  }

  private async readContents(): Promise<void> {
    const { entriesMax, unpackedBytesMax, ratioMax, ratioFreeBytes } = archiveLimits;
    if (this.zip.entryCount > entriesMax) {
      throw new ArchiveRefused(
        'archive-too-large',
        `The archive has ${this.zip.entryCount} entries; at most ${entriesMax} are accepted.`,
      );
    }
    let unpackedBytes = 0;
    for await (const entry of this.zip.eachEntry()) {
      const name = entryName(entry);
      checkKind(entry, name);
      const isFolder = name.endsWith('/');
      const path = isFolder ? name.slice(0, -1) : name;
      checkPath(path, name);
      this.hold(path, isFolder);
      unpackedBytes += entry.uncompressedSize;
      if (!isFolder) this.fileByPath.set(path, archivedFile(path, entry));
    }
    if (this.held.size === 0) throw new ArchiveRefused('archive-empty', 'The archive is empty.');
    if (unpackedBytes > unpackedBytesMax) {
      throw new ArchiveRefused(
        'archive-bomb',
        `The archive unpacks to ${unpackedBytes} bytes; at most ${unpackedBytesMax} are accepted.`,
      );
    }
    if (unpackedBytes > ratioFreeBytes && unpackedBytes > this.bytes * ratioMax) {
      throw new ArchiveRefused(
        'archive-bomb',
        `The archive has ${this.bytes} bytes and unpacks to ${unpackedBytes}; Composer takes more than ${ratioMax} to 1 for an attack.`,
      );
    }
    this.checkOverlaps();
  }

  /** Several entries that share the same bytes multiply a small archive; no honest tool writes them. */
  private checkOverlaps(): void {
    const headerBytes = 30;
    let end = 0;
    for (const file of [...this.files].sort((a, b) => a.offset - b.offset)) {
      if (file.offset < end) {
        throw new ArchiveRefused(
          'entry-overlap',
          `${shown(file.path)} shares its bytes with another entry; pack the archive anew.`,
        );
      }
      end = file.offset + headerBytes + Buffer.byteLength(file.path) + file.packedBytes;
    }
  }

  /** Notes a path and the folders that it implies. */
  private hold(path: string, isFolder: boolean): void {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      this.holdOne(path.slice(0, slash), true, path);
    }
    this.holdOne(path, isFolder, path);
    if (this.held.size > archiveLimits.pathsMax) {
      throw new ArchiveRefused(
        'archive-too-large',
        `The archive has more than ${archiveLimits.pathsMax} files and folders.`,
      );
    }
  }

  private holdOne(path: string, isFolder: boolean, entry: string): void {
    const key = folded(path);
    const before = this.held.get(key);
    if (before === undefined) {
      this.held.set(key, { path, isFolder });
    } else if (before.path !== path) {
      throw new ArchiveRefused(
        'entry-collision',
        `${shown(entry)} and ${shown(before.path)} are one file on Windows and macOS; rename one of them.`,
      );
    } else if (!isFolder || !before.isFolder) {
      throw new ArchiveRefused('entry-duplicate', `${shown(path)} is in the archive twice.`);
    }
  }

  private async unpack(file: ArchivedFile, take: (chunk: Buffer) => boolean): Promise<void> {
    if (file.packedBytes === 0 && file.unpackedBytes === 0) return;
    await orDamaged(async () => {
      const stream = await this.stream(file);
      for await (const chunk of stream) if (!take(chunk as Buffer)) break;
    }, file.path);
  }

  private async stream(file: ArchivedFile): Promise<Readable> {
    const start = await this.dataStart(file);
    const { packedBytes, isDeflated, unpackedBytes } = file;
    // The library's promise form of this one (3.4.0) calls another function.
    return new Promise((resolve, reject) => {
      this.zip.openReadStreamLowLevel(start, packedBytes, 0, packedBytes, isDeflated, unpackedBytes, (error, stream) =>
        error ? reject(error) : resolve(stream),
      );
    });
  }

  /**
   * Where the file's bytes begin. The header before them repeats what the table of contents says; where the two
   * differ, unpackers disagree on what the archive holds, so the archive is refused.
   */
  private async dataStart(file: ArchivedFile): Promise<number> {
    const name = Buffer.from(file.path);
    const header = Buffer.alloc(30 + name.length);
    const { bytesRead } = await this.handle.read(header, 0, header.length, file.offset);
    const isSame =
      bytesRead === header.length &&
      header.readUInt32LE(0) === 0x04034b50 &&
      header.readUInt16LE(8) === (file.isDeflated ? 8 : 0) &&
      header.readUInt16LE(26) === name.length &&
      header.subarray(30).equals(name);
    if (!isSame) throw damaged(`the table of contents does not agree with the header of ${shown(file.path)}`);
    const start = file.offset + header.length + header.readUInt16LE(28);
    if (start + file.packedBytes > this.bytes) throw damaged(`${shown(file.path)} is cut off`);
    return start;
  }
}

/** A path as a sentence can hold it: quoted, control characters escaped, its middle left out when long. */
export function shown(text: string): string {
  const quoted = JSON.stringify(text).replace(/[\p{Cc}\p{Cf}]/gu, '\u{FFFD}');
  return quoted.length > 120 ? `${quoted.slice(0, 80)}…${quoted.slice(-30)}` : quoted;
}

function damaged(why: string, cause?: Error): ArchiveRefused {
  const refused = new ArchiveRefused('archive-damaged', `The archive is cut off or damaged: ${why}.`);
  if (cause) refused.cause = cause;
  return refused;
}

function archivedFile(path: string, entry: Entry): ArchivedFile {
  return {
    path,
    unpackedBytes: entry.uncompressedSize,
    packedBytes: entry.compressedSize,
    isDeflated: entry.compressionMethod === 8,
    crc32: entry.crc32,
    offset: entry.relativeOffsetOfLocalHeader,
  };
}

const unicodePathField = 0x7075;

/** The name as UTF-8, whether its flag is set or not: macOS writes UTF-8 without saying so. */
function entryName(entry: Entry): string {
  const name = utf8(entry.fileNameRaw);
  if (name === null) {
    throw new ArchiveRefused(
      'entry-name',
      `The name ${shown(entry.fileNameRaw.toString('latin1'))} is not UTF-8; pack the archive with UTF-8 names.`,
    );
  }
  // A second name, which some unpackers prefer: version, checksum of the first, then UTF-8.
  for (const { id, data } of entry.extraFields) {
    if (id === unicodePathField && utf8(data.subarray(5)) !== name) {
      throw new ArchiveRefused('entry-name', `${shown(name)} carries a second, different name; pack the archive anew.`);
    }
  }
  return name;
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function checkKind(entry: Entry, name: string): void {
  const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (kind === 0o120000) {
    throw new ArchiveRefused(
      'entry-special',
      `${shown(name)} is a symbolic link; put the file itself into the archive.`,
    );
  }
  if (kind !== 0 && kind !== 0o100000 && kind !== 0o040000) {
    throw new ArchiveRefused('entry-special', `${shown(name)} is neither a file nor a folder.`);
  }
  if (entry.isEncrypted()) {
    throw new ArchiveRefused('entry-encrypted', `${shown(name)} is encrypted; Composer cannot ask for a password.`);
  }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    throw new ArchiveRefused(
      'entry-compression',
      `${shown(name)} is packed by method ${entry.compressionMethod}, which PHP may not know; use deflate.`,
    );
  }
}

function checkPath(path: string, name: string): void {
  if (/\p{Cc}/u.test(path)) throw new ArchiveRefused('entry-name', `The name ${shown(name)} has control characters.`);
  if (path.includes('\\'))
    throw new ArchiveRefused('entry-path', `${shown(name)} has a backslash; paths in a zip use slashes.`);
  if (path === '' || path.startsWith('/') || /^[a-z]:/i.test(path)) {
    throw new ArchiveRefused('entry-path', `${shown(name)} is an absolute path.`);
  }
  const isTooLong = Buffer.byteLength(path) > archiveLimits.pathBytesMax;
  for (const part of path.split('/')) {
    if (part === '..' || part === '.' || part === '') {
      throw new ArchiveRefused('entry-path', `${shown(name)} has a part that leaves its folder or names none.`);
    }
    if (isTooLong || Buffer.byteLength(part) > archiveLimits.pathPartBytesMax) {
      throw new ArchiveRefused('entry-path', `${shown(name)} is longer than a file system takes.`);
    }
  }
}

/** Equal for two paths that Windows or macOS takes for one. */
function folded(path: string): string {
  return path
    .normalize('NFC')
    .toLowerCase()
    .replace(/[. ]+(?=\/|$)/g, '');
}

/** yauzl reports a malformed archive as a plain error, zlib with a code of its own; anything else is no fault of the archive. */
async function orDamaged<T>(work: () => Promise<T>, path?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isDomainError(error) || !(error instanceof Error)) throw error;
    const code = errorCode(error);
    const isArchiveFault = code === null ? error.name === 'Error' : code.startsWith('Z_');
    if (!isArchiveFault) throw error;
    if (error.message === 'strong encryption is not supported') {
      throw new ArchiveRefused('entry-encrypted', 'The archive is encrypted; Composer cannot ask for a password.');
    }
    throw damaged(
      path === undefined ? 'its table of contents cannot be read' : `${shown(path)} cannot be unpacked`,
      error,
    );
  }
}
