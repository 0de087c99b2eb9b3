import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { diskArchive } from '../../lib/adapters/archive-disk';

const MEBIBYTE = 1024 ** 2;
/** One that is read at once, and one that is streamed. */
const SIZES = [
  ['a small archive', 10_000],
  ['a large archive', 5 * MEBIBYTE + 17],
] as const;

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-archives-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function stored(sizeBytes: number) {
  const folder = await aFolder();
  const bytes = randomBytes(sizeBytes);
  const source = join(folder, 'upload.zip');
  await writeFile(source, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const store = join(folder, 'store');
  await diskArchive(store).put(sha256, source);
  const file = join(store, sha256.slice(0, 2), sha256.slice(2, 4), `${sha256}.zip`);
  return { store, sha256, bytes, source, file };
}

/** What a client gets of it, and the code of the error that ended it. */
async function received(
  archive: ReturnType<typeof diskArchive>,
  sha256: string,
  range?: { start: number; end: number },
) {
  const chunks: Buffer[] = [];
  try {
    const answer = await archive.read(sha256, range);
    if (!answer) return { bytes: null, code: null };
    for await (const chunk of answer.stream) chunks.push(chunk as Buffer);
    return { bytes: Buffer.concat(chunks), code: null };
  } catch (error) {
    return { bytes: Buffer.concat(chunks), code: (error as { code?: string }).code ?? String(error) };
  }
}

/** Changes one byte in the middle, as a failing disk would. */
async function spoil(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

test.each(SIZES)('%s is read back whole and in ranges', async (_, sizeBytes) => {
  const { store, sha256, bytes, file } = await stored(sizeBytes);
  const archive = diskArchive(store);

  expect((await received(archive, sha256, { start: 100, end: 4_242 })).bytes).toEqual(bytes.subarray(100, 4_243));
  for (let time = 1; time <= 2; time++) {
    const answer = await archive.read(sha256);
    expect(answer?.sizeBytes).toBe(sizeBytes);
    expect((await buffer(answer!.stream)).equals(bytes)).toBe(true);
  }
  expect((await received(archive, sha256, { start: sizeBytes - 1, end: sizeBytes - 1 })).bytes).toEqual(
    bytes.subarray(-1),
  );
  expect(await archive.has(sha256)).toBe(true);
  expect(await archive.verify(sha256)).toBe('intact');
  expect((await stat(file)).mode & 0o777).toBe(0o640);
});

// A bad zip that arrived whole would be cached, and blamed on the vendor's module.
test.each(SIZES)('%s that was damaged on the disk never reaches a client whole', async (_, sizeBytes) => {
  const { store, sha256, bytes, source, file } = await stored(sizeBytes);
  const warm = diskArchive(store);
  expect((await received(warm, sha256)).bytes?.length).toBe(sizeBytes);
  await spoil(file);

  for (const archive of [diskArchive(store), warm]) {
    const whole = await received(archive, sha256);
    expect(whole.code).toBe('archive-damaged');
    expect(whole.bytes!.length).toBeLessThan(sizeBytes);
    expect(await received(archive, sha256, { start: 0, end: 9 })).toEqual({
      bytes: Buffer.alloc(0),
      code: 'archive-damaged',
    });
    expect(await archive.verify(sha256)).toBe('damaged');
  }

  // Publishing the same archive again mends it.
  await warm.put(sha256, source);
  expect((await received(warm, sha256)).bytes?.equals(bytes)).toBe(true);
  expect(await warm.verify(sha256)).toBe('intact');
});

test.each(SIZES)('%s that was cut off is refused as damaged', async (_, sizeBytes) => {
  const { store, sha256, file } = await stored(sizeBytes);
  await truncate(file, sizeBytes - 1);

  const archive = diskArchive(store);
  expect((await received(archive, sha256)).code).toBe('archive-damaged');
  expect((await received(archive, sha256, { start: 5, end: sizeBytes - 1 })).code).toBe('archive-damaged');
});

test('bytes that are not what they are called are not stored, and leave nothing behind', async () => {
  const { store, source } = await stored(1_000);
  const archive = diskArchive(store);
  const another = createHash('sha256').update('something else').digest('hex');

  await expect(archive.put(another, source)).rejects.toMatchObject({ code: 'archive-damaged' });

  expect(await archive.has(another)).toBe(false);
  expect(await archive.read(another)).toBeNull();
  expect(await archive.verify(another)).toBe('absent');
  expect(await readdir(join(store, 'incoming'))).toEqual([]);
});

test('what a crash left half-copied is swept away, what somebody copies just now is not', async () => {
  const { store, sha256, source, file } = await stored(1_000);
  const incoming = join(store, 'incoming');
  await mkdir(incoming, { recursive: true });
  await writeFile(join(incoming, `${sha256}.crashed`), 'half');
  await utimes(join(incoming, `${sha256}.crashed`), new Date('2026-01-01'), new Date('2026-01-01'));
  await writeFile(join(incoming, `${sha256}.underway`), 'half');
  await rm(dirname(file), { recursive: true });

  await diskArchive(store).put(sha256, source);

  expect(await readdir(incoming)).toEqual([`${sha256}.underway`]);
  expect(await diskArchive(store).verify(sha256)).toBe('intact');
});

test('the same archive put many times at once is stored once', async () => {
  const { store, sha256, source, file } = await stored(3 * MEBIBYTE);
  await rm(file);
  await Promise.all(Array.from({ length: 6 }, () => diskArchive(store).put(sha256, source)));
  expect(await readdir(dirname(file))).toEqual([`${sha256}.zip`]);
  expect(await readdir(join(store, 'incoming'))).toEqual([]);
  expect(await diskArchive(store).verify(sha256)).toBe('intact');
});

test('nothing but a hash names an archive', async () => {
  const { store, sha256 } = await stored(10);
  const archive = diskArchive(store);
  for (const name of ['../../etc/passwd', sha256.toUpperCase(), `${sha256}\n`, `${sha256}/..`, '']) {
    await expect(archive.read(name)).rejects.toThrow(/SHA-256/);
    await expect(archive.has(name)).rejects.toThrow(/SHA-256/);
    await expect(archive.put(name, '/dev/null')).rejects.toThrow(/SHA-256/);
  }
});

test.skipIf(process.platform !== 'linux')('a client that hangs up, or never reads, leaves no file open', async () => {
  const { store, sha256 } = await stored(5 * MEBIBYTE);
  const archive = diskArchive(store);
  const openFiles = async () => (await readdir('/proc/self/fd')).length;
  const before = await openFiles();
  for (let time = 1; time <= 20; time++) {
    const unread = await archive.read(sha256);
    const stream = unread!.stream;
    if (time % 2) await new Promise((resolve) => stream.once('data', resolve));
    await new Promise<void>((resolve) => {
      stream.once('close', resolve);
      stream.destroy();
    });
  }
  expect(await openFiles()).toBeLessThanOrEqual(before + 2);
});
