import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { aChild, type Ended } from '../support/child';
import { authorization } from '../support/composer-plane';
import { anInstallation, eventually, type Installation, ROOT } from '../support/running-server';
import { aFileOf, aZip } from '../support/zips';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

// Vendors' scripts live by these shapes and exit codes (contract.md).

const MAIL = 'anna@shop.example';
const ID = (kind: string) => expect.stringMatching(new RegExp(`^${kind}_[a-z0-9]+$`));
const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const SECRET = expect.stringMatching(/^lk_live_[0-9A-Za-z]{38}$/);
const EVENT_KEYS = [
  'id',
  'at',
  'action',
  'verdict',
  'reason',
  'ip',
  'userAgent',
  'username',
  'credentialId',
  'licenseId',
  'customerId',
  'package',
  'version',
  'node',
];

interface Issued {
  license: { id: string };
  credential: { id: string; username: string; secret: string };
}

let desk: Installation;
let held: Issued;

beforeAll(async () => {
  desk = await anInstallation();
  await desk.told('product', 'create', '--slug', 'forms', '--name', 'Forms', '--package', 'acme/forms');
  held = await issue();
});

afterAll(() => desk?.remove());

function issue(...more: string[]): Promise<Issued> {
  return desk.told<Issued>('license', 'issue', '--customer', MAIL, '--product', 'forms', '--no-mail', ...more);
}

function refusedWith(ended: Ended, exit: number, sentence: RegExp) {
  expect(ended.stdout).toBe('');
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  expect(ended.exit).toBe(exit);
}

test('product create answers with its id and slug', async () => {
  const created = await desk.told(
    'product',
    'create',
    ...['--slug', 'forms-pro', '--name', 'Forms Pro', '--package', 'acme/forms-pro', '--package', 'acme/forms-core'],
    ...['--perpetual', '--lapse', 'stop', '--unlisted'],
  );
  expect(created).toEqual({ product: { id: ID('prd'), slug: 'forms-pro' } });
});

test('package publish answers with what a lock file will hold', async () => {
  const file = await aZip({ name: 'acme/forms', version: '1.0.0' });
  const answer = await desk.told('package', 'publish', file);
  const { length } = await readFile(file);
  expect(answer).toEqual({
    package: 'acme/forms',
    version: '1.0.0',
    shasum: expect.stringMatching(/^[0-9a-f]{40}$/),
    archiveBytes: length,
  });
});

test('package publish makes composer.json for a bare WordPress plugin from its header and the flags', async () => {
  const plugin = '<?php\n/**\n * Plugin Name: Hello\n * Version: 2.3.0\n */\n';
  const file = await aZip({ composerJson: null, topFolder: 'hello', files: { 'hello.php': plugin } });
  expect(await desk.told('package', 'publish', file, '--name', 'acme/hello')).toMatchObject({
    package: 'acme/hello',
    version: '2.3.0',
  });
});

test('a license is issued with its credential, shown, and revoked', async () => {
  const issued = await issue();
  expect(issued).toEqual({
    license: { id: ID('lic') },
    credential: { id: ID('crd'), username: expect.stringMatching(/^lk-forms-[a-z0-9]{8}$/), secret: SECRET },
  });
  const { license } = await desk.told<{ license: object }>('license', 'show', issued.license.id);
  expect(license).toMatchObject({ id: issued.license.id, standing: 'good', product: { slug: 'forms' } });
  const revoked = await desk.told('license', 'revoke', issued.license.id, '--reason', 'charged back');
  expect(revoked).toMatchObject({ license: { id: issued.license.id, standing: 'revoked' } });
});

test('a license without --no-mail mails its credential', async () => {
  await desk.told('license', 'issue', '--customer', 'ben@shop.example', '--product', 'forms');
  await desk.told('jobs', 'run');
  const mails = await desk.outbox();
  expect(mails.map(({ kind, to }) => [kind, to])).toEqual([['license-issued', 'ben@shop.example']]);
});

test('credentials are issued, rotated with and without overlap, listed, and revoked, all in one shape', async () => {
  const other = await issue();
  const shape = {
    credential: { id: ID('crd'), username: expect.stringMatching(/^lk-set-[a-z0-9]{8}$/), secret: SECRET },
  };
  const both = ['--license', held.license.id, '--license', other.license.id];
  const first = await desk.told<Issued>('credential', 'issue', ...both, '--label', 'CI');
  expect(first).toEqual(shape);
  const second = await desk.told<Issued>('credential', 'rotate', first.credential.id, '--overlap-days', '7');
  expect(second).toEqual(shape);
  const third = await desk.told<Issued>('credential', 'rotate', second.credential.id);
  expect(third).toEqual(shape);
  expect(new Set([first, second, third].map(({ credential }) => credential.secret)).size).toBe(3);

  const { credentials } = await desk.told<{ credentials: { id: string; standing: string }[] }>(
    'credential',
    'list',
    '--customer',
    MAIL,
  );
  const standingOf = ({ credential }: Issued) => credentials.find((each) => each.id === credential.id)?.standing;
  expect([first, second, third].map(standingOf)).toEqual(['rotated', 'rotated', 'working']);

  const revoked = await desk.told('credential', 'revoke', third.credential.id, '--reason', 'left in a log');
  expect(revoked).toEqual({
    credential: { id: third.credential.id, username: third.credential.username, revokedAt: INSTANT },
  });
  const everyone = await desk.latchkey('credential', 'list', '--json');
  for (const { credential } of [first, second, third]) expect(everyone.stdout).not.toContain(credential.secret);
});

test('customer show gives the account with its licenses and credentials, and no secret', async () => {
  const { stdout } = await desk.latchkey('customer', 'show', MAIL.toUpperCase(), '--json');
  const shown = JSON.parse(stdout);
  expect(Object.keys(shown)).toEqual(['customer', 'licenses', 'credentials']);
  expect(shown.customer).toMatchObject({ id: ID('cus'), email: MAIL });
  expect(shown.licenses).toContainEqual(expect.objectContaining({ id: held.license.id, standing: 'good' }));
  expect(shown.credentials).toContainEqual(expect.objectContaining({ id: held.credential.id }));
  expect(stdout).not.toContain('lk_live_');
});

test('staff invite makes a person staff and mails a link', async () => {
  const answer = await desk.told('staff', 'invite', 'sam@vendor.example', '--role', 'auditor');
  expect(answer).toEqual({ staff: { id: ID('stf'), role: 'auditor' } });
  await desk.told('jobs', 'run');
  expect((await desk.outbox()).some(({ kind, to }) => kind === 'sign-in' && to === 'sam@vendor.example')).toBe(true);
});

test('audit search pages through events of the promised shape, by each filter', async () => {
  interface Page {
    events: { action: string; licenseId: string | null; at: string }[];
    next: string | null;
  }
  const page = await desk.told<Page>('audit', 'search', '--limit', '2');
  expect(Object.keys(page)).toEqual(['events', 'next']);
  expect(page.events).toHaveLength(2);
  for (const event of page.events) {
    expect(Object.keys(event)).toEqual(EVENT_KEYS);
    expect(event.at).toEqual(INSTANT);
  }
  const next = await desk.told<Page>('audit', 'search', '--limit', '2', '--cursor', page.next ?? '');
  expect(next.events.map(({ at }) => at) <= page.events.map(({ at }) => at)).toBe(true);
  expect(next.events).not.toContainEqual(page.events[1]);

  const found = await desk.told<Page>('audit', 'search', '--license', held.license.id, '--action', 'license.issued');
  expect(found).toMatchObject({ events: [{ action: 'license.issued', licenseId: held.license.id }], next: null });
  for (const filter of [
    ['--customer', 'nobody@shop.example'],
    ['--until', '2020-01-01'],
    ['--since', '2999-01-01T00:00:00Z'],
    ['--verdict', 'refused'],
  ]) {
    expect(await desk.told('audit', 'search', ...filter)).toEqual({ events: [], next: null });
  }
});

test('audit export streams the same events as JSON lines and as CSV, and is itself recorded', async () => {
  const lines = (await desk.latchkey('audit', 'export', '--format', 'jsonl', '--customer', MAIL)).stdout
    .trim()
    .split('\n');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.length).toBeGreaterThan(3);
  expect(events.every((event) => JSON.stringify(Object.keys(event)) === JSON.stringify(EVENT_KEYS))).toBe(true);

  const csv = (await desk.latchkey('audit', 'export', '--format', 'csv', '--customer', MAIL)).stdout
    .trim()
    .split(/\r?\n/);
  expect(csv[0]).toBe(EVENT_KEYS.join(','));
  expect(csv).toHaveLength(events.length + 1);
  const { events: exports } = await desk.told<{ events: object[] }>('audit', 'search', '--action', 'audit.exported');
  expect(exports).toHaveLength(2);
});

test('a reader that has seen enough of an export is no failure', async () => {
  const script = `node dist/bin/latchkey.js audit export --format jsonl | head -1 >/dev/null; echo \${PIPESTATUS[0]}`;
  const { stdout, stderr } = await aChild('bash', ['-c', script], { cwd: ROOT, env: desk.env }).ended;
  expect([stdout.trim(), stderr]).toEqual(['0', '']);
});

test('audit verify passes with an unsealed tail, and fails on a changed row', async () => {
  const own = await anInstallation();
  onTestFinished(() => own.remove());
  await own.told('product', 'create', '--slug', 'forms', '--name', 'Forms', '--package', 'acme/forms');
  expect(await own.told('audit', 'verify')).toMatchObject({ ok: true, damage: [] });
  const { app, close } = await own.app();
  await app.db.$executeRawUnsafe('alter table audit_events disable trigger all');
  await app.db.$executeRawUnsafe(
    `update audit_events set action = 'settings.changed' where action = 'product.created'`,
  );
  await close();
  const { exit, stdout } = await own.latchkey('audit', 'verify', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ ok: false });
  expect(exit).toBe(1);
});

test('jobs run does what is due, jobs list --failed names what did not succeed', async () => {
  await desk.told('staff', 'invite', 'kim@vendor.example', '--role', 'support');
  expect(await desk.told('jobs', 'run')).toEqual({ done: 1, failed: 0 });
  expect(await desk.told('jobs', 'run')).toEqual({ done: 0, failed: 0 });
  expect(await desk.told('jobs', 'list', '--failed')).toEqual({ jobs: [] });
});

test('archive verify reads every byte again', async () => {
  const own = await anInstallation();
  onTestFinished(() => own.remove());
  await own.told('package', 'publish', await aZip());
  expect(await own.told('archive', 'verify')).toEqual({ archives: 1, damaged: [] });
  const { app, close } = await own.app();
  const { archiveSha256: hash } = await app.db.release.findFirstOrThrow();
  await close();
  await writeFile(join(own.dataFolder, 'archives', hash.slice(0, 2), hash.slice(2, 4), `${hash}.zip`), 'rotten');
  const { exit, stdout } = await own.latchkey('archive', 'verify', '--json');
  expect(JSON.parse(stdout)).toEqual({
    archives: 1,
    damaged: [{ package: 'acme/forms', version: '1.0.0', state: 'damaged' }],
  });
  expect(exit).toBe(1);
});

test('a refusal is one sentence on stderr and exit 1, with nothing on stdout and nothing done', async () => {
  const notAZip = await aFileOf(randomBytes(100));
  const again = ['product', 'create', '--slug', 'forms', '--name', 'Forms', '--package', 'acme/forms'];
  const { app, close } = await desk.app();
  onTestFinished(close);
  const changes = () => app.db.auditEvent.count();
  const before = await changes();
  for (const [words, sentence] of [
    [again, /forms/],
    [['product', 'create', '--slug', 'No Slug', '--name', 'X', '--package', 'acme/x'], /slug/i],
    [['product', 'create', '--slug', 'x', '--name', 'X', '--package', 'Not A Name'], /Not A Name/],
    [['package', 'publish', notAZip], /zip/i],
    [['package', 'publish', '/nowhere/at-all.zip'], /at-all\.zip/],
    [['package', 'publish', await aZip({ name: 'acme/forms', version: 'one' })], /one/],
    [['package', 'publish', await aZip({ name: 'acme/forms', version: '1.0.0', files: { 'b.php': '' } })], /1\.0\.0/],
    [['license', 'issue', '--customer', MAIL, '--product', 'nothing'], /nothing/],
    [['license', 'issue', '--customer', 'anna', '--product', 'forms'], /anna/],
    [['license', 'show', 'lic_0000000000000000'], /lic_0000000000000000/],
    [['license', 'revoke', 'lic_0000000000000000', '--reason', 'x'], /lic_0000000000000000/],
    [['credential', 'rotate', 'crd_0000000000000000'], /crd_0000000000000000|credential/],
    [['credential', 'issue', '--license', 'lic_0000000000000000'], /lic_0000000000000000/],
    [['customer', 'show', 'nobody@shop.example'], /nobody@shop\.example/],
    [['staff', 'invite', 'sam', '--role', 'owner'], /sam/],
    [['audit', 'search', '--cursor', 'torn'], /page/],
  ] as [string[], RegExp][]) {
    const ended = await desk.latchkey(...words, '--json');
    refusedWith(ended, 1, sentence);
    expect(ended.stderr.trim().split('\n'), words.join(' ')).toHaveLength(1);
  }
  expect(await changes()).toBe(before);
});

test('wrong usage is exit 2 with the usage', async () => {
  for (const words of [
    [],
    ['license'],
    ['licence', 'issue'],
    ['license', 'issue', '--product', 'forms'],
    ['license', 'issue', '--custommer', MAIL, '--product', 'forms'],
    ['license', 'revoke', held.license.id],
    ['license', 'show'],
    ['credential', 'rotate', held.credential.id, '--overlap-days', 'seven'],
    ['product', 'create', '--slug', 'x', '--name', 'X', '--package', 'acme/x', '--months', '3', '--perpetual'],
    ['staff', 'invite', 'sam@vendor.example', '--role', 'boss'],
    ['audit', 'export', '--format', 'xml'],
    ['audit', 'search', '--since', 'yesterday'],
    ['audit', 'search', '--verdict', 'maybe'],
  ]) {
    refusedWith(await desk.latchkey(...words, '--json'), 2, /latchkey /);
  }
});

test('a wrong environment is refused in one sentence', async () => {
  const child = aChild(process.execPath, ['dist/bin/latchkey.js', 'audit', 'verify', '--json'], {
    cwd: ROOT,
    env: { ...desk.env, PORT: 'abc' },
  });
  refusedWith(await child.ended, 1, /PORT/);
});

test('`npm run latchkey --` is the same command', async () => {
  const words = ['run', '--silent', 'latchkey', '--', 'license', 'show', held.license.id, '--json'];
  const { exit, stdout } = await aChild('npm', words, { cwd: ROOT, env: desk.env }).ended;
  expect(JSON.parse(stdout)).toMatchObject({ license: { id: held.license.id } });
  expect(exit).toBe(0);
});

test('where no server runs the embedded database is started and stopped again; beside one it is shared', async () => {
  const own = await anInstallation({ embedded: true });
  onTestFinished(() => own.remove());
  const postmaster = join(own.dataFolder, 'postgres/postmaster.pid');
  await own.told('product', 'create', '--slug', 'forms', '--name', 'Forms', '--package', 'acme/forms');
  expect(existsSync(postmaster)).toBe(false);

  const server = await own.start();
  const pid = readFileSync(postmaster, 'utf8').split('\n')[0];
  const { credential } = await own.told<Issued>('license', 'issue', '--customer', MAIL, '--product', 'forms');
  await own.told('package', 'publish', await aZip());
  expect(readFileSync(postmaster, 'utf8').split('\n')[0]).toBe(pid);

  // A release that a command publishes is visible at the running server within a second.
  const auth = { username: credential.username, secret: credential.secret };
  const seen = () =>
    fetch(`${own.url}/composer/p2/acme/forms.json`, { headers: { Authorization: authorization(auth) } });
  await eventually(async () => (await (await seen()).text()).includes('"1.0.0"'), 1_500);
  // The server's worker sends what the command promised, with links to where the server listens.
  const mail = await eventually(async () => (await own.outbox()).find(({ kind }) => kind === 'license-issued'));
  expect(mail.text).toContain(`composer config repositories.acme composer ${own.url}/composer`);

  expect((await server.stop()).exit).toBe(0);
  expect(existsSync(postmaster)).toBe(false);
});
