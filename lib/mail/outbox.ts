import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../kit/errors';
import type { Needs } from '../ports/app';

export interface OutboxMail {
  /** The file's name, which is also its place in time. */
  file: string;
  deliveredAt: Date;
  kind: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

const NAME = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3})\d*Z-([a-z-]+)\.json$/;

/** Whether mail is delivered into the outbox here, so that there is one to read. */
export function hasOutbox(app: Needs<'env' | 'mailer'>): boolean {
  return app.mailer.name === 'outbox' && app.env.mode === 'demo';
}

/** What was delivered, newest first, at most `limit`; nothing where mail leaves the machine. */
export async function listOutbox(app: Needs<'env' | 'mailer'>, limit = 200): Promise<OutboxMail[]> {
  if (!hasOutbox(app)) return [];
  const files = (await namesIn(join(app.env.dataFolder, 'outbox'))).filter((name) => NAME.test(name));
  const newest = files.sort().reverse().slice(0, limit);
  const mails = await Promise.all(newest.map((file) => readOutbox(app, file)));
  return mails.filter((mail) => mail !== null);
}

/** One delivered mail by its file's name, or null where there is none of that name. */
export async function readOutbox(app: Needs<'env' | 'mailer'>, file: string): Promise<OutboxMail | null> {
  const [, day, hours, minutes, seconds] = NAME.exec(file) ?? [];
  if (!day || !hasOutbox(app)) return null;
  try {
    const mail = JSON.parse(await readFile(join(app.env.dataFolder, 'outbox', file), 'utf8')) as Omit<
      OutboxMail,
      'file' | 'deliveredAt'
    >;
    return { ...mail, file, deliveredAt: new Date(`${day}${hours}:${minutes}:${seconds}Z`) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Empty where nothing was delivered yet. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
