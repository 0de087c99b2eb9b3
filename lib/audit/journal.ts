import {
  closeSync,
  constants,
  fdatasync,
  fsync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../kit/clock';
import { errorCode, errorMessage } from '../kit/errors';
import { openEventIds } from '../kit/ids';
import type { Log } from '../kit/log';
import type { GateEvent, Journal, PreparedEvent } from '../ports/journal';
import { cleaned } from './cleaning';

/** One file of the journal, as far as it may be shipped. */
export interface Segment {
  number: number;
  path: string;
  /** Bytes that are whole and acknowledged; what stands behind them is not ours to read yet. */
  sizeBytes: number;
  /** Still being written to. */
  active: boolean;
}

/** The journal as its shipper sees it. */
export interface JournalFiles extends Journal {
  /** Oldest first. Those of an earlier life are among them. */
  segments(): Segment[];
  /** Ends the active segment; the next event begins another, so that this one can be removed once shipped. */
  endSegment(): void;
  /** Deletes a shipped segment that is not active. */
  remove(segment: Segment): void;
  /** Calls `listener` after each group of events that reached the file. */
  onAppended(listener: () => void): void;
  /** Writes what waits, makes it durable and lets go of the files. Later events are refused. */
  close(): Promise<void>;
}

interface JournalOptions {
  /** Made where it is absent. Only one process may use it (the caller holds the claim). */
  folder: string;
  nodeName: string;
  clock: Clock;
  log: Log;
  segmentBytesMax?: number;
  /** Given up when the disk is full, to carry the gate over the time until somebody comes. */
  reserveBytes?: number;
}

const MEBIBYTE = 1_048_576;
const SEGMENT_NAME = /^(\d{8})\.journal$/;
const SYNC_AFTER_MS = 500;
const PROBE_EVERY_MS = 1_000;
/** Room for what one turn of the event loop usually brings; more is made where a turn brings more. */
const LINES_BYTES = 64 * 1_024;
/** `xxxxxxxx ` before each line's JSON. */
const CHECKSUM_BYTES = 8;
const SPACE = 32;
const LINE_FEED = 10;
const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Opens the journal of one gate process: an event is in a local file before its answer leaves, so that `kill -9` loses
 * nothing; it is on the disk within a second, which bounds what a loss of power takes. A segment holds one line per
 * event: eight hex digits of CRC-32, a space, the event's canonical JSON (`canonical.ts`).
 *
 * @throws the file system's error where the folder can neither be made nor read
 */
export function openJournal(options: JournalOptions): JournalFiles {
  return new FileJournal(options);
}

class FileJournal implements JournalFiles {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #segmentBytesMax: number;
  readonly #reserveBytes: number;
  /** The end of every line: node, no actor. */
  readonly #node: string;

  #full = false;
  #closed = false;

  /** The lines of this turn of the event loop, encoded as they come: text would be flattened, encoded and copied twice. */
  #lines = Buffer.allocUnsafeSlow(LINES_BYTES);
  #linesBytes = 0;
  #waiting: ((error: Error | null) => void)[] = [];
  #listener: () => void = () => undefined;

  #ended: Segment[] = [];
  #active: (Segment & { fd: number }) | null = null;
  #nextNumber = 1;
  #unsynced = false;
  #syncTimer: NodeJS.Timeout | null = null;
  #syncing: Promise<void> = Promise.resolve();

  #reserveHeld = false;
  #probeTimer: NodeJS.Timeout | null = null;

  readonly #newId = openEventIds();

  constructor(options: JournalOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#segmentBytesMax = options.segmentBytesMax ?? 8 * MEBIBYTE;
    this.#reserveBytes = options.reserveBytes ?? 4 * MEBIBYTE;
    this.#node = JSON.stringify(options.nodeName);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder).sort()) {
      const number = Number(SEGMENT_NAME.exec(name)?.[1] ?? 0);
      if (number === 0) continue;
      const path = join(this.#folder, name);
      this.#ended.push({ number, path, sizeBytes: statSync(path).size, active: false });
      this.#nextNumber = number + 1;
    }
    try {
      this.#holdReserve();
    } catch (error) {
      this.#log.error(`The journal's disk is too full for a reserve: ${errorMessage(error)}`, { folder: this.#folder });
      this.#probeLater();
    }
  }

  get full(): boolean {
    return this.#full;
  }

  append(event: GateEvent | PreparedEvent, written: (error: Error | null) => void): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    const encoded = 'encoded' in event ? event.encoded : this.#encoded(event);
    const instant = this.#clock.now().getTime();
    const place = `[${instant},"${this.#newId(instant)}",`;
    const start = this.#linesBytes;
    const json = start + CHECKSUM_BYTES + 1;
    const end = json + place.length + encoded.length;
    if (end >= this.#lines.length) this.#makeRoom(end + 1);
    const lines = this.#lines;
    lines.write(place, json, 'latin1');
    lines.set(encoded, json + place.length);
    writeHex(lines, crc32(lines.subarray(json, end)), start);
    lines[json - 1] = SPACE;
    lines[end] = LINE_FEED;
    this.#linesBytes = end + 1;
    this.#waiting.push(written);
  }

  prepare(event: GateEvent): PreparedEvent {
    return { encoded: this.#encoded(event) };
  }

  #encoded(event: GateEvent): Buffer {
    return Buffer.from(
      `"${event.action}","${event.verdict}",` +
        `${quoted(event.reason)},${quoted(event.ip)},${quoted(event.userAgent)},${quoted(event.username)},` +
        `${quoted(event.credentialId)},${quoted(event.licenseId)},${quoted(event.customerId)},` +
        `${quoted(event.package)},${quoted(event.version)},${this.#node},null,` +
        `${event.count === undefined ? 'null' : `{"count":${event.count}}`}]`,
    );
  }

  #makeRoom(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#lines.length, bytes));
    larger.set(this.#lines.subarray(0, this.#linesBytes));
    this.#lines = larger;
  }

  segments(): Segment[] {
    const active = this.#active;
    return active ? [...this.#ended, { ...active }] : [...this.#ended];
  }

  endSegment(): void {
    const segment = this.#active;
    if (!segment) return;
    this.#active = null;
    const { fd, number, path, sizeBytes } = segment;
    this.#ended.push({ number, path, sizeBytes, active: false });
    this.#syncing = this.#syncing.then(() => this.#sync(fd)).then(() => closeSync(fd));
  }

  remove(segment: Segment): void {
    if (this.#active?.number === segment.number) return;
    unlinkSync(segment.path);
    this.#ended = this.#ended.filter((each) => each.number !== segment.number);
  }

  onAppended(listener: () => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#flush();
    this.#closed = true;
    if (this.#syncTimer) clearTimeout(this.#syncTimer);
    if (this.#probeTimer) clearTimeout(this.#probeTimer);
    this.endSegment();
    await this.#syncing;
  }

  /** Runs in the check phase of the same turn of the event loop, when all of its requests have been read. */
  #flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const error = this.#write(this.#lines.subarray(0, this.#linesBytes));
    this.#waiting = [];
    this.#linesBytes = 0;
    if (this.#lines.length > LINES_BYTES) this.#lines = Buffer.allocUnsafeSlow(LINES_BYTES);
    for (const written of waiting) {
      try {
        written(error);
      } catch (thrown) {
        // One answer that fails must not keep back those of its neighbours in the group.
        this.#log.error(`An answer failed after its audit event was written: ${errorMessage(thrown)}`);
      }
    }
    if (!error) this.#listener();
  }

  #write(bytes: Buffer): Error | null {
    if (this.#closed) return new Error('The journal is closed.');
    if (this.#full) return new Error('The journal cannot be written.');
    try {
      this.#put(bytes);
      return null;
    } catch (error) {
      if (OUT_OF_SPACE.has(errorCode(error) ?? '') && this.#reserveHeld) return this.#writeFromReserve(bytes);
      return this.#stop(error);
    }
  }

  #writeFromReserve(bytes: Buffer): Error | null {
    try {
      unlinkSync(this.#reservePath());
      this.#reserveHeld = false;
      this.#log.error(
        `The disk of the audit journal is full. Its reserve of ${this.#reserveBytes} bytes is in use now; once it is ` +
          'used up, Composer clients are answered 503. Free some space.',
        { folder: this.#folder, reserveBytes: this.#reserveBytes },
      );
      this.#probeLater();
      this.#put(bytes);
      return null;
    } catch (error) {
      return this.#stop(error);
    }
  }

  #stop(error: unknown): Error {
    this.#full = true;
    this.#log.error(
      `The audit journal cannot be written, so Composer clients are answered 503: ${errorMessage(error)}`,
      {
        folder: this.#folder,
        code: errorCode(error),
      },
    );
    // Ended, so that it can be shipped and its space given back.
    this.endSegment();
    this.#probeLater();
    return error as Error;
  }

  /** All of `bytes` or, as far as the file system lets us, none: half a line would spoil the line that follows it. */
  #put(bytes: Buffer): void {
    if (this.#active && this.#active.sizeBytes >= this.#segmentBytesMax) this.endSegment();
    this.#active ??= this.#beginSegment();
    const segment = this.#active;
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(segment.fd, bytes, done, bytes.length - done);
    } catch (error) {
      if (done > 0) this.#takeBack(segment);
      throw error;
    }
    segment.sizeBytes += bytes.length;
    this.#syncLater();
  }

  #takeBack(segment: Segment & { fd: number }): void {
    try {
      ftruncateSync(segment.fd, segment.sizeBytes);
    } catch (error) {
      // The torn end stays; readers stop at `sizeBytes`, or at its checksum after a restart.
      this.#log.warn(`Half a group of audit events stays in ${segment.path}: ${errorMessage(error)}`);
      this.endSegment();
    }
  }

  #beginSegment(): Segment & { fd: number } {
    const number = this.#nextNumber;
    const path = join(this.#folder, `${String(number).padStart(8, '0')}.journal`);
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND, 0o600);
    this.#nextNumber += 1;
    this.#syncFolder();
    return { number, path, sizeBytes: 0, active: true, fd };
  }

  #syncLater(): void {
    this.#unsynced = true;
    if (this.#syncTimer) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      const fd = this.#active?.fd;
      if (!this.#unsynced || fd === undefined) return;
      this.#unsynced = false;
      this.#syncing = this.#syncing.then(() => this.#sync(fd));
    }, SYNC_AFTER_MS);
    this.#syncTimer.unref();
  }

  #sync(fd: number): Promise<void> {
    return new Promise((done) => {
      fdatasync(fd, (error) => {
        if (error) {
          // What the kernel could not write once it may have dropped; later events go to a file of their own.
          this.#log.error(`The audit journal could not be made durable: ${error.message}`, { folder: this.#folder });
          if (this.#active?.fd === fd) this.endSegment();
        }
        done();
      });
    });
  }

  /** A file survives a loss of power only once its folder's entry is on the disk too. */
  #syncFolder(): void {
    const fd = openSync(this.#folder, constants.O_RDONLY);
    fsync(fd, (error) => {
      closeSync(fd);
      if (error) this.#log.error(`The journal's folder could not be made durable: ${error.message}`);
    });
  }

  #reservePath(): string {
    return join(this.#folder, 'reserve');
  }

  /** Takes the reserve where there is room for it twice, so that taking it never is what fills the disk. */
  #holdReserve(): void {
    if (this.#reserveHeld || this.#reserveBytes === 0) return;
    const { bavail, bsize } = statfsSync(this.#folder);
    if (sizeOrZero(this.#reservePath()) < this.#reserveBytes && bavail * bsize < 2 * this.#reserveBytes) {
      throw new Error(`only ${bavail * bsize} bytes are free`);
    }
    const fd = openSync(this.#reservePath(), 'w', 0o600);
    try {
      const zeros = Buffer.alloc(Math.min(MEBIBYTE, this.#reserveBytes));
      for (let done = 0; done < this.#reserveBytes; ) {
        done += writeSync(fd, zeros, 0, Math.min(zeros.length, this.#reserveBytes - done));
      }
    } catch (error) {
      unlinkSync(this.#reservePath());
      throw error;
    } finally {
      closeSync(fd);
    }
    this.#reserveHeld = true;
  }

  #probeLater(): void {
    this.#probeTimer ??= setTimeout(() => {
      this.#probeTimer = null;
      this.#probe();
    }, PROBE_EVERY_MS).unref();
  }

  #probe(): void {
    if (this.#closed) return;
    try {
      this.#holdReserve();
      if (this.#full) this.#active ??= this.#beginSegment();
      this.#full = false;
      this.#log.info('The audit journal can be written again, and its reserve is in place', { folder: this.#folder });
    } catch {
      // Said when it began; the reason is the same until this succeeds.
      this.#probeLater();
    }
  }
}

function quoted(text: string | null): string {
  if (text === null) return 'null';
  const clean = cleaned(text);
  return NEEDS_ESCAPE.test(clean) ? JSON.stringify(clean) : `"${clean}"`;
}

const NEEDS_ESCAPE = /["\\]/;

/** Eight hex digits. By hand, because `toString(16)` of what is no small integer costs as much as the checksum itself. */
function writeHex(into: Buffer, value: number, at: number): void {
  for (let place = 0; place < CHECKSUM_BYTES; place++) {
    const digit = (value >>> (28 - 4 * place)) & 15;
    into[at + place] = digit < 10 ? 48 + digit : 87 + digit;
  }
}

function sizeOrZero(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
