/** A process, told apart from a later one that was given the same number. */
export interface ProcessMark {
  pid: number;
  /** When it started, in words of the operating system; comparable, not readable. */
  started: string;
}

export interface LockHolder extends ProcessMark {
  nonce: string;
  note: string;
}

export interface HeldLock {
  holder?: undefined;
  release(): Promise<void>;
}

/** When a process started, or null where it runs no more (a zombie does not run). */
export function startOfProcess(pid: number): string | null;

export function thisProcess(): ProcessMark;

export function isRunning(mark: ProcessMark): boolean;

/**
 * A lock among the processes of one machine: a file that names its holder. A holder that was killed holds nothing: the
 * next who asks takes the lock over, also when many ask at once.
 *
 * @param note shown to whoever finds the lock held
 */
export function tryLock(path: string, note?: string): Promise<HeldLock | { holder: LockHolder }>;

/** As `tryLock`, but waits for its turn. @throws when `patienceMs` have passed; without it, waits for ever. */
export function takeLock(
  path: string,
  options?: { note?: string; patienceMs?: number; onWait?: (holder: LockHolder) => void },
): Promise<HeldLock>;
