import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outboxMailer } from '../../lib/adapters/mailer-outbox';
import { transact } from '../../lib/db/transact';
import { setClock } from '../../lib/kit/clock';
import { DomainError } from '../../lib/kit/errors';
import { keyRing } from '../../lib/kit/seal';
import { sendLater } from '../../lib/mail/deliver';
import { handOverMail } from '../../lib/mail/hand-over';
import type { Message } from '../../lib/mail/messages';
import type { Mailer, OutgoingMail } from '../../lib/ports/mailer';
import { A_SECRET, licenseIssued, licenseRefunded, signIn } from '../support/messages';
import { aTestApp, TEST_START, type TestApp } from '../support/test-app';

/** A mailer that remembers what it was given, and fails first as often as it is told. */
function aMailer(failures: Error[] = []): Mailer & { sent: OutgoingMail[] } {
  const sent: OutgoingMail[] = [];
  return {
    name: 'resend',
    sent,
    async send(mail) {
      const failure = failures.shift();
      if (failure) throw failure;
      sent.push(mail);
      return { providerId: `re_${sent.length}` };
    },
  };
}

async function promise(app: TestApp, message: Message) {
  await transact(app, (tx) => sendLater(app, tx, message));
  return app.db.mail.findFirstOrThrow({ where: { kind: message.kind } });
}

async function jobs(app: TestApp): Promise<unknown[]> {
  const { rows } = await app.pool.query('select payload from graphile_worker._private_jobs');
  return rows.map((row) => row.payload);
}

/** Every table as text, so that a secret is found wherever it was put. */
async function everythingStored(app: TestApp): Promise<string> {
  const { rows } = await app.pool.query<{ tables: string }>(
    `select string_agg(query_to_xml(format('select * from %I.%I', schemaname, tablename), true, false, '')::text, '') as tables
     from pg_tables where schemaname in ('public', 'graphile_worker')`,
  );
  return rows[0]?.tables ?? '';
}

test('a promised mail keeps its secret sealed, and only until it is delivered', async () => {
  const mailer = aMailer();
  const app = await aTestApp({ mailer });
  const mail = await promise(app, licenseIssued());

  const random = A_SECRET.slice(8);
  expect(mail.sealed).toMatch(/^[0-9a-f]{8}\./);
  expect(await everythingStored(app)).toContain(mail.sealed);
  expect(await everythingStored(app)).not.toContain(random);
  expect(await jobs(app)).toEqual([{ mailId: mail.id }]);

  expect(await handOverMail(app, mail.id)).toBe('handed-over');
  expect(mailer.sent[0]).toMatchObject({ kind: 'license-issued', to: 'ada@shop.test', idempotencyKey: mail.id });
  expect(mailer.sent[0]?.text).toContain(A_SECRET);
  const delivered = await app.db.mail.findUniqueOrThrow({ where: { id: mail.id } });
  expect(delivered).toMatchObject({ sealed: null, sentAt: TEST_START, providerId: 're_1', failedAt: null });
  expect(await everythingStored(app)).not.toContain(random);
});

test('a mail is promised with the change it tells of, or not at all', async () => {
  const app = await aTestApp({ mailer: aMailer() });
  await expect(
    transact(app, async (tx) => {
      await sendLater(app, tx, licenseIssued());
      throw new Error('the change failed');
    }),
  ).rejects.toThrow('the change failed');
  expect(await app.db.mail.count()).toBe(0);
  expect(await jobs(app)).toEqual([]);
});

test('the same occasion is mailed once, however often it is asked for', async () => {
  const app = await aTestApp({ mailer: aMailer() });
  await promise(app, licenseIssued());
  await promise(app, licenseIssued());
  await promise(app, licenseRefunded());
  expect(await app.db.mail.count()).toBe(2);
  expect(await jobs(app)).toHaveLength(2);
});

test('a job that runs again after delivery sends nothing more', async () => {
  const mailer = aMailer();
  const app = await aTestApp({ mailer });
  const mail = await promise(app, licenseIssued());
  await handOverMail(app, mail.id);
  expect(await handOverMail(app, mail.id)).toBe('already');
  expect(mailer.sent).toHaveLength(1);
});

// The process may die after the mailer has taken the mail and before that is written down.
test('a crash between delivery and its record leaves one mail in the outbox', async () => {
  const app = await aTestApp();
  const outbox = outboxMailer({ mode: 'demo', dataFolder: app.dataFolder, clock: app.clock });
  const mail = await promise(app, licenseIssued());
  const given: string[] = [];
  const dying: Mailer = {
    name: 'outbox',
    async send(outgoing) {
      given.push(JSON.stringify(outgoing));
      await outbox.send(outgoing);
      throw new Error('killed');
    },
  };
  await expect(handOverMail({ ...app, mailer: dying }, mail.id)).rejects.toThrow('killed');
  app.clock.advance(3_600_000);
  const living: Mailer = {
    name: 'outbox',
    send: (outgoing) => {
      given.push(JSON.stringify(outgoing));
      return outbox.send(outgoing);
    },
  };
  expect(await handOverMail({ ...app, mailer: living }, mail.id)).toBe('handed-over');
  expect(given[1]).toBe(given[0]);
  expect(await readdir(join(app.dataFolder, 'outbox'))).toHaveLength(1);
});

test('a mailer that is away keeps the secret sealed and the mail waiting', async () => {
  const mailer = aMailer([new Error(`connection lost while sending ${A_SECRET}`)]);
  const app = await aTestApp({ mailer });
  const mail = await promise(app, licenseIssued());
  await expect(handOverMail(app, mail.id)).rejects.toThrow('connection lost');
  const waiting = await app.db.mail.findUniqueOrThrow({ where: { id: mail.id } });
  expect(waiting).toMatchObject({ sealed: mail.sealed, sentAt: null, failedAt: null, attempts: 1 });
  expect(waiting.lastError).toBe('connection lost while sending lk_live_[masked]');
  expect(await app.db.staffTask.count()).toBe(0);
  expect(await handOverMail(app, mail.id)).toBe('handed-over');
});

test('a refused address is given up once: the secret is wiped and a staff task says what to do', async () => {
  const mailer = aMailer([new DomainError('mail-refused', 'no such user')]);
  const app = await aTestApp({ mailer });
  const mail = await promise(app, licenseIssued());
  expect(await handOverMail(app, mail.id)).toBe('refused');
  expect(await handOverMail(app, mail.id)).toBe('already');
  expect(await app.db.mail.findUniqueOrThrow({ where: { id: mail.id } })).toMatchObject({
    sealed: null,
    sentAt: null,
    failedAt: TEST_START,
    lastError: 'no such user',
  });
  const tasks = await app.db.staffTask.findMany();
  expect(tasks).toHaveLength(1);
  expect(tasks[0]?.summary).toMatch(/ada@shop\.test cannot be delivered.*issue another credential/);
  expect(mailer.sent).toEqual([]);
});

test('a secret sealed under a key that is gone is never sent empty: staff are told', async () => {
  const mailer = aMailer();
  const app = await aTestApp({ mailer });
  const mail = await promise(app, licenseIssued());
  expect(await handOverMail({ ...app, keys: keyRing(Buffer.alloc(32, 9)) }, mail.id)).toBe('refused');
  expect(mailer.sent).toEqual([]);
  expect((await app.db.staffTask.findFirstOrThrow()).facts).toMatchObject({ why: expect.stringContaining('APP_KEY') });
});

test('a seal does not open in the name of another mail', async () => {
  const mailer = aMailer();
  const app = await aTestApp({ mailer });
  const mail = await promise(app, licenseIssued());
  await transact(app, (tx) => sendLater(app, tx, { ...licenseIssued(), to: 'eve@evil.test', dedupeKey: 'eve' }));
  const eves = await app.db.mail.findFirstOrThrow({ where: { to: 'eve@evil.test' } });
  await app.db.mail.update({ where: { id: eves.id }, data: { sealed: mail.sealed } });
  expect(await handOverMail(app, eves.id)).toBe('refused');
  expect(mailer.sent).toEqual([]);
});

test('a sign-in link that has expired on the way is not sent any more', async () => {
  const mailer = aMailer();
  const clock = setClock(TEST_START);
  const app = await aTestApp({ mailer, clock });
  const mail = await promise(app, signIn());
  clock.advance(16 * 60_000);
  expect(await handOverMail(app, mail.id)).toBe('expired');
  expect(mailer.sent).toEqual([]);
  expect((await app.db.mail.findUniqueOrThrow({ where: { id: mail.id } })).sealed).toBeNull();
  expect(await app.db.staffTask.count()).toBe(0);
});
