import { createHash, type Hash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { DomainError, errorCode } from '../kit/errors';
import { randomLower } from '../kit/ids';
import type { ArchiveStore } from '../ports/archive';

export class ArchiveDamaged extends DomainError {
  constructor(
    readonly sha256: string,
    sentence: string,
  ) {
    super('archive-damaged', sentence);
  }
}

/** What reading costs least at: fewer trips to the thread pool, and one pause of the event loop under a millisecond. */
const CHUNK_BYTES = 256 * 1024;
/** Up to here an archive is read at once, and those asked for last stay in memory: most modules, at a third of the cost. */
const SMALL_BYTES_MAX = 2 * 1024 * 1024;
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
/** How many archives this process remembers to have verified; an entry is about 200 bytes. */
const VERIFIED_MAX = 50_000;
/** A file that is being copied in is written to all the time; one that was not for so long was left by a crash. */
const ABANDONED_MS = 60 * 60 * 1_000;

/** A file's size, inode and times: another one where anything could have changed its bytes. */
type Identity = string;

/** Inclusive. */
type Range = { start: number; end: number };

interface OpenArchive {
  handle: FileHandle;
  sizeBytes: number;
  identity: Identity;
}

/**
 * Archives as files, `ab/cd/<sha256>.zip` under `folder`, which is made where it is absent. A file gets its name only
 * once all its bytes are on the disk, so a crash leaves it wholly or not at all; what a crash left unfinished is removed
 * by the first `put` of a later process.
 *
 * Nothing leaves unchecked: the first read of a file in this process hashes it, and so does the first one after its size,
 * inode or times changed; later ones trust that, since hashing costs as much as sending. A damaged file is refused with
 * code `archive-damaged`, by `read` where it is small or a range is asked for, else by its stream: that one hashes as it
 * goes and holds the last chunk back until the hash is known, so a client sees a broken transfer and never a whole bad
 * zip. Bits that rot under an unchanged stat meanwhile are found by `verify`.
 */
export function diskArchive(folder: string): ArchiveStore {
  const incoming = join(folder, 'incoming');
  const verified = new LRUCache<string, Identity>({ max: VERIFIED_MAX });
  const kept = new LRUCache<string, { identity: Identity; bytes: Buffer }>({
    maxSize: KEPT_BYTES_MAX,
    sizeCalculation: ({ bytes }) => bytes.length + 1,
  });
  let swept: Promise<void> | null = null;

  const fileOf = (sha256: string): string => {
    // It becomes a path, so nothing but a hash may be one.
    if (!/^[0-9a-f]{64}$/.test(sha256))
      throw new Error('An archive is named by the SHA-256 of its bytes, in lower case.');
    return join(folder, sha256.slice(0, 2), sha256.slice(2, 4), `${sha256}.zip`);
  };

  const openArchive = async (sha256: string): Promise<OpenArchive | null> => {
    const handle = await openIfThere(fileOf(sha256));
    if (!handle) return null;
    try {
      const facts = await handle.stat({ bigint: true });
      return { handle, sizeBytes: Number(facts.size), identity: identityOf(facts) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  const isIntact = async (sha256: string, { handle, identity }: OpenArchive): Promise<boolean> => {
    const intact = (await sha256Of(handle)) === sha256;
    if (intact) verified.set(sha256, identity);
    else {
      verified.delete(sha256);
      kept.delete(sha256);
    }
    return intact;
  };

  /** The bytes of a small archive, if this process holds them and the file is still the one they were read from. */
  const bytesKept = async (sha256: string): Promise<Buffer | null> => {
    const known = kept.get(sha256);
    if (!known) return null;
    const facts = await statIfThere(fileOf(sha256));
    return facts && identityOf(facts) === known.identity ? known.bytes : null;
  };

  const readSmall = async (sha256: string, { handle, sizeBytes, identity }: OpenArchive): Promise<Buffer> => {
    try {
      const bytes = await readAll(handle, sizeBytes);
      if (verified.get(sha256) !== identity && createHash('sha256').update(bytes).digest('hex') !== sha256) {
        throw damaged(sha256);
      }
      verified.set(sha256, identity);
      kept.set(sha256, { identity, bytes });
      return bytes;
    } finally {
      await handle.close();
    }
  };

  const readLarge = async (sha256: string, archive: OpenArchive, range: Range | undefined): Promise<Readable> => {
    const { handle, sizeBytes, identity } = archive;
    try {
      const { start, end } = rangeWithin(sha256, sizeBytes, range);
      if (verified.get(sha256) !== identity) {
        if (start === 0 && end === sizeBytes - 1) {
          return new CheckedArchive(sha256, handle, () => verified.set(sha256, identity));
        }
        if (!(await isIntact(sha256, archive))) throw damaged(sha256);
      }
      return createReadStream('', { fd: handle, start, end, highWaterMark: CHUNK_BYTES });
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  const verify: ArchiveStore['verify'] = async (sha256) => {
    const archive = await openArchive(sha256);
    if (!archive) return 'absent';
    try {
      return (await isIntact(sha256, archive)) ? 'intact' : 'damaged';
    } finally {
      await archive.handle.close();
    }
  };

  return {
    verify,

    async put(sha256, file) {
      const target = fileOf(sha256);
      // A damaged one is replaced: publishing the same archive again is how its vendor would mend it.
      if ((await verify(sha256)) === 'intact') return;
      swept ??= sweep(incoming);
      await swept;
      await mkdir(incoming, { recursive: true, mode: 0o750 });
      const draft = join(incoming, `${sha256}.${randomLower(8)}`);
      try {
        if ((await copyDurably(file, draft)) !== sha256) {
          throw new ArchiveDamaged(sha256, 'The archive changed while it was stored. Nothing was stored; try again.');
        }
        const parents = [
          folder,
          join(folder, sha256.slice(0, 2)),
          join(folder, sha256.slice(0, 2), sha256.slice(2, 4)),
        ];
        await mkdir(join(target, '..'), { recursive: true, mode: 0o750 });
        await rename(draft, target);
        // The name is a change of the folder, and the folder's own name one of its parent.
        for (const parent of parents.toReversed()) await syncFolder(parent);
      } finally {
        await rm(draft, { force: true });
      }
    },

    async has(sha256) {
      return (await statIfThere(fileOf(sha256)))?.isFile() === true;
    },

    async read(sha256, range) {
      let bytes = await bytesKept(sha256);
      if (!bytes) {
        const archive = await openArchive(sha256);
        if (!archive) return null;
        if (archive.sizeBytes > SMALL_BYTES_MAX) {
          return { stream: await readLarge(sha256, archive, range), sizeBytes: archive.sizeBytes };
        }
        bytes = await readSmall(sha256, archive);
      }
      const { start, end } = rangeWithin(sha256, bytes.length, range);
      return { stream: Readable.from(bytes.subarray(start, end + 1)), sizeBytes: bytes.length };
    },

    async signedUrl() {
      return null;
    },
  };
}

/** A whole archive whose last chunk is given only if all of them together have the right hash. */
class CheckedArchive extends Readable {
  readonly #sha256: string;
  readonly #handle: FileHandle;
  readonly #intact: () => void;
  readonly #hash: Hash = createHash('sha256');
  #held: Buffer | null = null;

  constructor(sha256: string, handle: FileHandle, intact: () => void) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#sha256 = sha256;
    this.#handle = handle;
    this.#intact = intact;
  }

  override _read(): void {
    this.#next().catch((error) => this.destroy(error));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#handle.close().then(
      () => done(error),
      (closing) => done(error ?? closing),
    );
  }

  async #next(): Promise<void> {
    for (;;) {
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      const before = this.#held;
      if (bytesRead === 0) {
        if (this.#hash.digest('hex') !== this.#sha256) throw damaged(this.#sha256);
        this.#intact();
        if (before) this.push(before);
        this.push(null);
        return;
      }
      this.#held = buffer.subarray(0, bytesRead);
      this.#hash.update(this.#held);
      if (before) {
        this.push(before);
        return;
      }
    }
  }
}

/** @throws {ArchiveDamaged} where the file is shorter than whoever asks was told at its publication */
function rangeWithin(sha256: string, sizeBytes: number, range: Range | undefined): Range {
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  if (start < 0 || end >= sizeBytes || start > end + 1) {
    throw new ArchiveDamaged(
      sha256,
      `The archive ${sha256} has ${sizeBytes} bytes; there are none from ${start} to ${end}.`,
    );
  }
  return { start, end };
}

function identityOf({ size, ino, mtimeNs, ctimeNs }: BigIntStats): Identity {
  return `${size} ${ino} ${mtimeNs} ${ctimeNs}`;
}

function damaged(sha256: string): ArchiveDamaged {
  return new ArchiveDamaged(sha256, `The archive ${sha256} is damaged on the disk; restore it, or publish it again.`);
}

async function readAll(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, done, sizeBytes - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function sha256Of(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** @returns the SHA-256 of what was copied, which is on the disk by then */
async function copyDurably(from: string, to: string): Promise<string> {
  const hash = createHash('sha256');
  const source = await open(from, 'r');
  try {
    const copy = await open(to, 'wx', 0o640);
    try {
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        await writeAll(copy, chunk);
      }
      await copy.sync();
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
  return hash.digest('hex');
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, null)).bytesWritten;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a crash left half-copied; what another process copies just now is younger. Ages are the machine's. */
async function sweep(incoming: string): Promise<void> {
  for (const name of await namesIn(incoming)) {
    const draft = join(incoming, name);
    try {
      if (Date.now() - (await stat(draft)).mtimeMs > ABANDONED_MS) await rm(draft, { force: true });
    } catch (error) {
      // Finished meanwhile, or swept by somebody else.
      if (!isAbsent(error)) throw error;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

async function statIfThere(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}
