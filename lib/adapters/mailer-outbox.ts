import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kit/clock';
import { DomainError, errorCode } from '../kit/errors';
import type { Mailer, OutgoingMail } from '../ports/mailer';

/**
 * Delivers into a folder: one file per mail, `<time>-<kind>.json`, put there whole by rename. Names sort by time. It is a
 * delivery, so the file holds what the mail held, secrets included; nobody but its owner may read it.
 *
 * @param dataFolder the outbox is its folder `outbox`; what keeps repeats out stands beside it
 * @throws {OutboxRefused} in production mode
 */
export function outboxMailer(of: { mode: 'demo' | 'production'; dataFolder: string; clock: Clock }): Mailer {
  if (of.mode === 'production') throw new OutboxRefused();
  const outbox = join(of.dataFolder, 'outbox');
  const beside = join(of.dataFolder, 'outbox-unfinished');
  let lastMs = 0;
  let sequence = 0;

  /** Sorts by time, also within a millisecond, whatever the clock does. */
  const nextTime = (): string => {
    const now = of.clock.now().getTime();
    sequence = now > lastMs ? 0 : sequence + 1;
    lastMs = Math.max(lastMs, now);
    const [seconds, fraction] = new Date(lastMs).toISOString().slice(0, -1).split('.');
    return `${seconds?.replaceAll(':', '-')}.${fraction}${String(sequence).padStart(3, '0')}Z`;
  };

  return {
    name: 'outbox',
    async send(mail) {
      await mkdir(outbox, { recursive: true, mode: 0o700 });
      await mkdir(beside, { recursive: true, mode: 0o700 });
      const keyFile = join(beside, `${mail.idempotencyKey}.key`);
      const known = await readIfThere(keyFile);
      if (known) {
        // Handed over before, or cut off just before the rename: the same file either way.
        if (!(await isThere(join(outbox, known)))) await rename(join(beside, known), join(outbox, known));
        return { providerId: known };
      }
      for (;;) {
        const file = `${nextTime()}-${mail.kind}.json`;
        // Another process may deliver at the same instant: whoever makes the unfinished file has the name.
        if (!(await writeNew(join(beside, file), contents(mail)))) continue;
        if (await isThere(join(outbox, file))) {
          await rm(join(beside, file));
          continue;
        }
        await writeFile(keyFile, file, { mode: 0o600 });
        await rename(join(beside, file), join(outbox, file));
        return { providerId: file };
      }
    },
  };
}

export class OutboxRefused extends DomainError {
  constructor() {
    super(
      'outbox-refused',
      'The outbox delivers only in demo mode: set RESEND_API_KEY or SMTP_URL so that mail leaves this machine.',
    );
  }
}

function contents({ kind, to, subject, text, html }: OutgoingMail): string {
  return `${JSON.stringify({ kind, to, subject, text, html }, null, 2)}\n`;
}

/** False where a file of that name was there before. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
