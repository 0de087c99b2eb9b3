import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { outboxMailer } from '../../lib/adapters/mailer-outbox';
import { resendMailer } from '../../lib/adapters/mailer-resend';
import { smtpMailer } from '../../lib/adapters/mailer-smtp';
import { setClock } from '../../lib/kit/clock';
import { readEnv } from '../../lib/kit/env';
import { Secret } from '../../lib/kit/secret';
import { hasOutbox, listOutbox, readOutbox } from '../../lib/mail/outbox';
import { aResendServer } from '../support/resend-stand-in';
import { anSmtpServer } from '../support/smtp-stand-in';

const FROM = 'Acme Modules <licenses@acme.test>';
const NOON = '2026-11-22T12:00:00.000Z';

function aMail(idempotencyKey = 'mol_1', over: { kind?: string; subject?: string; to?: string } = {}) {
  return {
    kind: 'license-issued',
    to: 'ada@shop.test',
    subject: 'Your license for Forms Pro',
    text: 'A line that begins the text.\n.\nTwo dots and a long line follow.\n',
    html: '<p>Bonjour à tous: €99</p>',
    idempotencyKey,
    ...over,
  };
}

async function anOutbox() {
  const dataFolder = await mkdtemp(join(tmpdir(), 'latchkey-outbox-'));
  onTestFinished(() => rm(dataFolder, { recursive: true, force: true }));
  const clock = setClock(NOON);
  const mailer = outboxMailer({ mode: 'demo', dataFolder, clock });
  const env = readEnv({ LATCHKEY_DATA: dataFolder });
  return { mailer, clock, dataFolder, folder: join(dataFolder, 'outbox'), app: { env, mailer } };
}

async function smtp() {
  const server = await anSmtpServer();
  onTestFinished(() => server.close());
  return { server, mailer: smtpMailer({ url: new Secret(server.url), from: FROM }) };
}

async function resend() {
  const server = await aResendServer();
  onTestFinished(() => server.close());
  return { server, mailer: resendMailer({ key: new Secret('re_test_1'), from: FROM, apiBase: server.url }) };
}

test('the outbox holds one file per mail, named by time and kind, with what the mail held', async () => {
  const { mailer, clock, folder } = await anOutbox();
  await mailer.send(aMail('mol_1'));
  clock.advance(60_000);
  await mailer.send(aMail('mol_2', { kind: 'sign-in', subject: 'Sign in' }));

  const files = (await readdir(folder)).sort();
  expect(files).toHaveLength(2);
  expect(files[0]).toMatch(/^2026-11-22T12-00-00\.\d+Z-license-issued\.json$/);
  expect(files[1]).toMatch(/^2026-11-22T12-01-00\.\d+Z-sign-in\.json$/);
  const { idempotencyKey: _, ...held } = aMail();
  expect(JSON.parse(await readFile(join(folder, files[0]!), 'utf8'))).toEqual(held);
  expect((await stat(join(folder, files[0]!))).mode & 0o077).toBe(0);
});

test('mails of the same millisecond keep their order and none is lost, from two processes too', async () => {
  const { mailer, clock, dataFolder, folder, app } = await anOutbox();
  const other = outboxMailer({ mode: 'demo', dataFolder, clock });
  for (let n = 0; n < 20; n++) await mailer.send(aMail(`mol_${n}`, { subject: `Number ${n}` }));
  await Promise.all(Array.from({ length: 20 }, (_, n) => other.send(aMail(`mol_other_${n}`))));

  expect(await readdir(folder)).toHaveLength(40);
  const subjects = (await listOutbox(app)).map((mail) => mail.subject).reverse();
  expect(subjects.filter((subject) => subject.startsWith('Number'))).toEqual(
    Array.from({ length: 20 }, (_, n) => `Number ${n}`),
  );
});

test('a mail handed to the outbox twice is one file', async () => {
  const { mailer, clock, folder } = await anOutbox();
  const first = await mailer.send(aMail());
  clock.advance(5_000);
  expect(await mailer.send(aMail())).toEqual(first);
  expect(await readdir(folder)).toHaveLength(1);
});

test('the outbox reads what it holds, newest first, and no file but its own', async () => {
  const { mailer, clock, app } = await anOutbox();
  expect(await listOutbox(app)).toEqual([]);
  await mailer.send(aMail('mol_1'));
  clock.advance(1_500);
  const { providerId } = await mailer.send(aMail('mol_2', { subject: 'The later one' }));

  const [newest] = await listOutbox(app);
  expect(newest).toMatchObject({ file: providerId, subject: 'The later one' });
  expect(newest?.deliveredAt).toEqual(new Date('2026-11-22T12:00:01.500Z'));
  expect((await readOutbox(app, providerId))?.html).toBe('<p>Bonjour à tous: €99</p>');
  expect(await readOutbox(app, '../runtime.json')).toBeNull();
  expect(await readOutbox(app, providerId.replace('12-00', '13-00'))).toBeNull();
});

// In production the outbox would swallow every mail and keep secrets in files.
test('the outbox refuses production mode, and its page shows nothing where mail leaves the machine', async () => {
  expect(() => outboxMailer({ mode: 'production', dataFolder: '/tmp', clock: setClock(NOON) })).toThrow(/demo mode/);
  const { app } = await anOutbox();
  const leaving = { ...app, mailer: { name: 'smtp' as const, send: app.mailer.send } };
  expect(hasOutbox(leaving)).toBe(false);
  expect(await listOutbox(leaving)).toEqual([]);
});

test('a mail by SMTP arrives whole, with both parts, and its Message-ID is the same at every try', async () => {
  const { server, mailer } = await smtp();
  const first = await mailer.send(aMail());
  const second = await mailer.send(aMail());

  expect(first.providerId).toBe('<mol_1@acme.test>');
  expect(second).toEqual(first);
  const [taken] = server.taken;
  expect(taken).toMatchObject({ from: 'licenses@acme.test', to: ['ada@shop.test'] });
  expect(taken?.message).toMatch(/^Message-ID: <mol_1@acme\.test>\r$/m);
  expect(taken?.message).toMatch(/^Subject: Your license for Forms Pro\r$/m);
  expect(taken?.message).toMatch(/Content-Type: text\/plain/);
  expect(taken?.message).toMatch(/Content-Type: text\/html/);
  expect(taken?.message).toContain('\r\n.\r\nTwo dots');
});

test.each([
  ['an unknown mailbox', /^RCPT TO/i, '550 5.1.1 no such user', 'mail-refused'],
  ['a message that the server will not have', /^DATA-END$/, '554 5.7.1 not accepted', 'mail-refused'],
  ['a full mailbox', /^RCPT TO/i, '452 4.2.2 mailbox full', null],
  ['a server that is busy', /^DATA-END$/, '451 4.3.0 later', null],
  ['a sender that the server does not know yet', /^MAIL FROM/i, '550 5.7.1 sender not allowed', null],
] as const)('SMTP: %s', async (_, pattern, reply, code) => {
  const { server, mailer } = await smtp();
  server.answer(pattern, reply);
  const error = await mailer.send(aMail()).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error.code === 'mail-refused' ? 'mail-refused' : null).toBe(code);
  expect(server.taken).toEqual([]);
});

test('SMTP: a server that is away is worth another try', async () => {
  const { server } = await smtp();
  const nobody = smtpMailer({ url: new Secret('smtp://127.0.0.1:1'), from: FROM });
  const error = await nobody.send(aMail()).catch((thrown) => thrown);
  expect(error.code).not.toBe('mail-refused');
  expect(server.taken).toEqual([]);
});

test('a mail by Resend carries its key, its parts and the idempotency key', async () => {
  const { server, mailer } = await resend();
  expect(await mailer.send(aMail())).toEqual({ providerId: 're_mol_1' });
  expect(server.requests).toEqual([
    {
      key: 'mol_1',
      authorization: 'Bearer re_test_1',
      body: {
        from: FROM,
        to: 'ada@shop.test',
        subject: 'Your license for Forms Pro',
        text: aMail().text,
        html: aMail().html,
      },
    },
  ]);
});

test('Resend: a repeat is delivered once, also when a word of the mail has changed since', async () => {
  const { server, mailer } = await resend();
  await mailer.send(aMail());
  expect(await mailer.send(aMail())).toEqual({ providerId: 're_mol_1' });
  expect(await mailer.send(aMail('mol_1', { subject: 'Reworded' }))).toEqual({ providerId: 'mol_1' });
  expect(server.delivered.size).toBe(1);
});

test.each([
  [422, 'validation_error', 'Invalid `to` field.', 'mail-refused'],
  [403, 'validation_error', 'The acme.test domain is not verified.', null],
  [422, 'invalid_from_address', 'Invalid `from` field.', null],
  [401, 'missing_api_key', 'Missing API key.', null],
  [429, 'rate_limit_exceeded', 'Too many requests.', null],
  [409, 'concurrent_idempotent_requests', 'Same key in progress.', null],
  [500, 'application_error', 'An unexpected error occurred.', null],
] as const)('Resend: %i %s', async (statusCode, name, message, code) => {
  const { server, mailer } = await resend();
  server.failNext(statusCode, name, message);
  const error = await mailer.send(aMail()).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error.message).toContain(message);
  expect(error.code === 'mail-refused' ? 'mail-refused' : null).toBe(code);
});
