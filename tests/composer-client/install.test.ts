import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { publishArchive } from '../../lib/catalog/publish';
import { bindLicenses } from '../../lib/credentials/combine';
import { revokeCredential } from '../../lib/credentials/revoke';
import { transact } from '../../lib/db/transact';
import { DAY, SECOND } from '../../lib/kit/clock';
import { refundLicenses } from '../../lib/licenses/refund';
import { aComposer, basicAuth, repositories } from '../support/composer-client';
import { aPlane, authorization, type Plane } from '../support/composer-plane';
import { freePort } from '../support/free-port';
import { aHolder, aProduct, aVendor } from '../support/shop';
import type { TestApp } from '../support/test-app';
import { aZip, type ZipContents } from '../support/zips';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

// What the real client does with our answers; the numbers are those of composer-protocol.md, section 9.

const CLI = { kind: 'cli' } as const;
/** How Composer ends when a request failed: 100 since 2.7.5, before that the clipped status or 1. */
const TRANSPORT_FAILED = [100, 255, 1];
const UNRESOLVABLE = 2;
const REFUNDED = 'the license was refunded on 22 November 2026';

async function publish(app: TestApp, contents: ZipContents) {
  const published = await publishArchive(app, { file: await aZip(contents), by: CLI });
  // A change is answered 304 only once its second is over.
  app.clock.advance(5 * SECOND);
  return published;
}

/** `acme/forms` 1.0.0, which needs `acme/core`, both opened by one product; and a customer who bought it. */
async function aShop() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const app = await aVendor({ env: { APP_URL: url } });
  await aProduct(app, { packages: ['acme/forms', 'acme/core'] });
  await publish(app, { name: 'acme/core', version: '1.0.0', composerJson: { autoload: { classmap: ['src/'] } } });
  await publish(app, { name: 'acme/forms', version: '1.0.0', composerJson: { require: { 'acme/core': '^1.0' } } });
  const holder = await aHolder(app);
  app.clock.advance(5 * SECOND);
  return { app, url, plane: await aPlane(app, { port }), ...holder };
}

async function refund(app: TestApp, license: Parameters<typeof refundLicenses>[2][number]) {
  await transact(app, (tx) => refundLicenses(app, tx, [license], { by: { kind: 'stripe' }, reason: 'asked' }));
  app.clock.advance(5 * SECOND);
}

/** What was asked since the last time, as `p2/acme/forms.json 200`. */
function asked(plane: Plane): string[] {
  return plane.requests.splice(0).map(({ path, status }) => {
    const short = path.replace('/composer/', '').replace(/\/[0-9a-f]{40}\.zip$/, '');
    return `${short} ${status}`;
  });
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

test('1: a credential by Basic installs a package and what it needs, in the order that Composer asks', async () => {
  const { url, plane, auth } = await aShop();
  const composer = await aComposer({ url, auth });

  const { exit, output } = await composer.run('require', 'acme/forms');

  expect(output).toContain('Installing acme/forms (1.0.0)');
  expect(exit).toBe(0);
  expect(await composer.installed()).toEqual({ 'acme/forms': '1.0.0', 'acme/core': '1.0.0' });
  expect(await composer.file('vendor/acme/forms/src/Forms.php')).toContain('final class Forms');
  expect(plane.requests.every((request) => request.authorization === authorization(auth))).toBe(true);
  const requests = asked(plane);
  expect(requests.slice(0, 5)).toEqual([
    'packages.json 200',
    'p2/acme/forms.json 200',
    'packages.json 304',
    'p2/acme/forms.json 304',
    'p2/acme/core.json 200',
  ]);
  expect(requests.slice(5).sort()).toEqual([
    'dist/acme/core/1.0.0.0 200',
    'dist/acme/forms/1.0.0.0 200',
    'downloads 200',
  ]);
});

test('2: the secret alone, as a bearer token, opens the same', async () => {
  const { url, plane, auth } = await aShop();
  const composer = await aComposer({ url });
  await composer.authJson({ bearer: { [new URL(url).host]: auth.secret } });

  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);

  expect(plane.requests.every((request) => request.authorization === `Bearer ${auth.secret}`)).toBe(true);
});

test('3: COMPOSER_AUTH is enough, and nothing is written to auth.json', async () => {
  const { url, auth } = await aShop();
  const composer = await aComposer({ url });
  composer.env.COMPOSER_AUTH = JSON.stringify(basicAuth(url, { username: 'token', secret: auth.secret }));

  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);

  expect(await readdir(composer.home)).not.toContain('auth.json');
  expect(await composer.file('auth.json')).toBe(null);
});

test('4: a credential in the repository URL works and does not reach the lock file', async () => {
  const { url, auth } = await aShop();
  const composer = await aComposer({ url });
  const { host } = new URL(url);
  await composer.change({ repositories: repositories(`http://${auth.username}:${auth.secret}@${host}`) });

  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);

  // A lock file is committed; whoever reads the repository would hold the credential.
  expect(await composer.lock()).not.toContain(auth.secret);
  expect(await composer.lock()).toContain(`${url}/composer/dist/acme/forms/1.0.0.0/`);
});

test('5 and 6: without a credential, or with one for another port, the terminal says what to do', async () => {
  const { url, plane, auth } = await aShop();
  const composer = await aComposer({ url, composerJson: { require: { 'acme/forms': '*' } } });
  for (const given of [{}, basicAuth('http://127.0.0.1:1', auth)]) {
    await composer.authJson(given);
    const { exit, output } = await composer.run('update');
    expect(exit).toBeOneOf(TRANSPORT_FAILED);
    expect(output).toContain(`Warning from ${new URL(url).host}: No credential was sent for`);
    expect(output).toContain('required authentication (HTTP 401)');
    expect(asked(plane)).toEqual(['packages.json 401']);
  }
});

test('9: a revoked credential is told why in one request', async () => {
  const { app, url, plane, auth, credential } = await aShop();
  await revokeCredential(app, { credentialId: credential.id, by: CLI, reason: 'lost laptop' });
  const composer = await aComposer({ url, auth, composerJson: { require: { 'acme/forms': '*' } } });

  const { exit, output } = await composer.run('update');

  expect(exit).toBeOneOf(TRANSPORT_FAILED);
  expect(count(output, 'Warning from')).toBe(1);
  expect(output).toContain('This credential was revoked on 22 November 2026.');
  expect(asked(plane)).toEqual(['packages.json 402']);
});

test('10: of two products on one credential, the refunded one is withheld with its reason and the other installs', async () => {
  const { app, url, plane, auth, license, credential } = await aShop();
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  await publish(app, { name: 'acme/invoices', version: '2.0.0' });
  const other = await aHolder(app, 'invoices');
  await bindLicenses(app, { credentialId: credential.id, licenseIds: [other.license.id], by: CLI });
  await refund(app, license);

  const both = await aComposer({ url, auth, composerJson: { require: { 'acme/forms': '*', 'acme/invoices': '*' } } });
  const refused = await both.run('update');
  expect(refused.exit).toBe(UNRESOLVABLE);
  expect(refused.output).toContain(`acme/forms: ${REFUNDED}`);
  expect(await both.installed()).toEqual({});
  expect(asked(plane)).toContain('p2/acme/forms.json 200');

  const one = await aComposer({ url, auth });
  expect((await one.run('require', 'acme/invoices')).exit).toBe(0);
  expect(await one.installed()).toEqual({ 'acme/invoices': '2.0.0' });
});

test('11 and 12: after a refund a lock file installs nothing that has to be downloaded, and what is cached is told the reason', async () => {
  const { app, url, plane, auth, license } = await aShop();
  const composer = await aComposer({ url, auth });
  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);
  await refund(app, license);
  asked(plane);

  await rm(join(composer.project, 'vendor'), { recursive: true });
  const cached = await composer.run('install');
  expect(cached.exit).toBe(0);
  expect(cached.output).toContain('refunded on 22 November 2026');
  expect(asked(plane).filter((request) => request.startsWith('dist/'))).toEqual([]);

  await rm(join(composer.project, 'vendor'), { recursive: true });
  await composer.dropArchives();
  const cold = await composer.run('install');
  expect(cold.exit).toBeOneOf(TRANSPORT_FAILED);
  expect(cold.output).toContain('refunded on 22 November 2026');
  expect(await composer.file('vendor/acme/forms/composer.json')).toBe(null);
  expect(asked(plane)).toContain('dist/acme/forms/1.0.0.0 402');
});

test('14: a revoked client with everything in its cache may resolve, is told why, and downloads nothing', async () => {
  const { app, url, plane, auth, credential } = await aShop();
  const composer = await aComposer({ url, auth });
  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);
  await revokeCredential(app, { credentialId: credential.id, by: CLI, reason: 'lost laptop' });

  const resolved = await composer.run('update');
  expect(resolved.exit).toBe(0);
  expect(resolved.output).toContain('This credential was revoked');

  await rm(join(composer.project, 'vendor'), { recursive: true });
  await composer.dropArchives();
  asked(plane);
  const refused = await composer.run('update');
  expect(refused.exit).toBeOneOf(TRANSPORT_FAILED);
  expect(refused.output).toContain('This credential was revoked');
  expect(await composer.installed()).toEqual({});
  expect(asked(plane)).toContain('dist/acme/forms/1.0.0.0 402');
});

test('15 and 16: a second update moves no document, and a new release is found by the next', async () => {
  const { app, url, plane, auth } = await aShop();
  const composer = await aComposer({ url, auth });
  expect((await composer.run('require', 'acme/forms:^1.0')).exit).toBe(0);
  const lock = await composer.lock();
  asked(plane);

  expect((await composer.run('update')).exit).toBe(0);
  expect(asked(plane).sort()).toEqual(['p2/acme/core.json 304', 'p2/acme/forms.json 304', 'packages.json 304']);
  expect(await composer.lock()).toBe(lock);

  await publish(app, { name: 'acme/forms', version: '1.1.0' });
  expect((await composer.run('update')).exit).toBe(0);
  expect(asked(plane)).toContain('p2/acme/forms.json 200');
  expect(await composer.installed()).toEqual({ 'acme/forms': '1.1.0' });
});

test('17: what was bought since the last update is offered, and what ended since is not', async () => {
  const { app, url, auth, license, credential } = await aShop();
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  await publish(app, { name: 'acme/invoices', version: '2.0.0' });
  const composer = await aComposer({ url, auth });
  const before = await composer.run('require', 'acme/invoices:*');
  expect(before.exit).toBe(UNRESOLVABLE);
  expect(before.output).toContain('acme/invoices: no license of this credential covers it');

  const bought = await aHolder(app, 'invoices');
  await bindLicenses(app, { credentialId: credential.id, licenseIds: [bought.license.id], by: CLI });
  app.clock.advance(5 * SECOND);
  expect((await composer.run('require', 'acme/invoices', 'acme/forms')).exit).toBe(0);
  expect(Object.keys(await composer.installed())).toContain('acme/invoices');

  await refund(app, license);
  const after = await composer.run('update');
  expect(after.exit).toBe(UNRESOLVABLE);
  expect(after.output).toContain(`acme/forms: ${REFUNDED}`);
});

test('18: a second credential on one machine never sees through the cache what only the first may', async () => {
  const { app, url, auth: lapsed } = await aShop();
  app.clock.advance(400 * DAY);
  const current = await aHolder(app, 'forms', 'other@example.test');
  await publish(app, { name: 'acme/forms', version: '2.0.0' });
  const composer = await aComposer({ url, auth: current.auth, composerJson: { require: { 'acme/forms': '*' } } });
  expect((await composer.run('update')).exit).toBe(0);
  expect(await composer.installed()).toMatchObject({ 'acme/forms': '2.0.0' });

  // Composer keeps one cache per repository URL, whoever asked.
  await composer.authJson(basicAuth(url, lapsed));
  expect((await composer.run('update')).exit).toBe(0);
  expect(await composer.installed()).toMatchObject({ 'acme/forms': '1.0.0' });

  await composer.authJson(basicAuth(url, current.auth));
  expect((await composer.run('update')).exit).toBe(0);
  expect(await composer.installed()).toMatchObject({ 'acme/forms': '2.0.0' });
});

test('19: a name that is not sold here is not found, and no credential is blamed', async () => {
  const { url, plane, auth } = await aShop();
  const composer = await aComposer({ url, auth });
  const guessed = await composer.run('require', 'acme/nope');
  expect(guessed.exit).toBe(1);
  expect(guessed.output).toMatch(/Could not find a matching version of package acme\/nope/i);
  const named = await composer.run('require', 'acme/nope:*');
  expect(named.exit).toBe(UNRESOLVABLE);
  expect(named.output).toContain('acme/nope, it could not be found in any version');
  expect(asked(plane).filter((request) => !request.startsWith('packages.json'))).toEqual(
    expect.arrayContaining(['p2/acme/nope.json 404']),
  );
});

test('20: a name that is sold but not covered is not taken from another repository', async () => {
  const { app, url, auth } = await aShop();
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  await publish(app, { name: 'acme/invoices', version: '2.0.0' });
  const composer = await aComposer({ url, auth });
  const attacker = {
    type: 'package',
    package: { name: 'acme/invoices', version: '9.9.9', dist: { type: 'zip', url: await aZip() } },
  };
  await composer.change({ repositories: repositories(url, attacker) });

  const { exit, output } = await composer.run('require', 'acme/invoices:*');

  expect(exit).toBe(UNRESOLVABLE);
  expect(output).toContain('acme/invoices: no license of this credential covers it');
  expect(await composer.installed()).toEqual({});
});

test('21: we are not asked for names of other vendors', async () => {
  const { url, plane, auth } = await aShop();
  const composer = await aComposer({ url, auth });
  const other = { type: 'package', package: { name: 'psr/log', version: '3.0.0', type: 'metapackage' } };
  await composer.change({ repositories: repositories(url, other) });

  expect((await composer.run('require', 'psr/log', 'acme/forms')).exit).toBe(0);

  expect(asked(plane).filter((request) => request.includes('psr'))).toEqual([]);
});

test('22: development versions are asked for and locked where the project accepts them, and only there', async () => {
  const { app, url, plane, auth } = await aShop();
  await publish(app, { name: 'acme/forms', version: 'dev-main' });
  const stable = await aComposer({ url, auth });
  expect((await stable.run('require', 'acme/forms')).exit).toBe(0);
  expect(asked(plane).filter((request) => request.includes('~dev'))).toEqual([]);

  const edge = await aComposer({ url, auth, composerJson: { 'minimum-stability': 'dev' } });
  expect((await edge.run('require', 'acme/forms:dev-main')).exit).toBe(0);
  expect(asked(plane)).toContain('p2/acme/forms~dev.json 200');
  expect(await edge.installed()).toMatchObject({ 'acme/forms': 'dev-main' });
});

test('26: a zip with everything in one folder unpacks as one without', async () => {
  const { app, url, auth } = await aShop();
  const files = { 'src/Field.php': '<?php\n', 'views/form.phtml': '' };
  await publish(app, { name: 'acme/forms', version: '2.0.0', files });
  await publish(app, { name: 'acme/forms', version: '2.0.1', files, topFolder: 'acme-forms-4f2a' });
  const trees: string[][] = [];
  for (const version of ['2.0.0', '2.0.1']) {
    const composer = await aComposer({ url, auth });
    expect((await composer.run('require', `acme/forms:${version}`)).exit).toBe(0);
    trees.push((await readdir(join(composer.project, 'vendor/acme/forms'), { recursive: true })).sort());
  }
  expect(trees[1]).toEqual(trees[0]);
  expect(trees[0]).toContain('views/form.phtml');
});

test('37: search, show and outdated list what this credential may install', async () => {
  const { app, url, plane, auth } = await aShop();
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  await publish(app, { name: 'acme/invoices', version: '2.0.0' });
  const composer = await aComposer({ url, auth });
  expect((await composer.run('require', 'acme/forms:1.0.0')).exit).toBe(0);
  await publish(app, { name: 'acme/forms', version: '1.2.0' });
  asked(plane);

  const found = await composer.run('search', 'forms');
  expect(found.output).toContain('acme/forms Forms for shops');
  expect(asked(plane)).toContain('search.json?q=forms&type= 200');
  expect((await composer.run('search', '--only-name', 'acme')).output).not.toContain('acme/invoices');

  const shown = await composer.run('show', '--all', 'acme/forms');
  expect(shown.output).toMatch(/versions : .*1\.2\.0, \* ?1\.0\.0/);

  const outdated = await composer.run('outdated', '--all');
  expect(outdated.exit).toBe(0);
  expect(outdated.output).toMatch(/acme\/forms +1\.0\.0 +[~!] +1\.2\.0/);
});

test('42: the composer.json that is installed is one that Composer calls valid', async () => {
  const { url, auth } = await aShop();
  const composer = await aComposer({ url, auth });
  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);
  const { exit, output } = await composer.run('validate', 'vendor/acme/forms/composer.json', '--no-check-lock');
  expect(output).toContain('is valid');
  expect(exit).toBe(0);
});

test('every request of an install stands in the audit log with who, what and whether', async () => {
  const { app, url, plane, auth, license, credential } = await aShop();
  const composer = await aComposer({ url, auth });
  expect((await composer.run('require', 'acme/forms')).exit).toBe(0);
  await refund(app, license);
  await rm(join(composer.project, 'vendor'), { recursive: true });
  await composer.dropArchives();
  expect((await composer.run('install')).exit).toBeOneOf(TRANSPORT_FAILED);

  const events = await plane.events();
  expect(events).toHaveLength(plane.requests.length + 1); // two packages in one report of installs
  expect(events.every((event) => event.credentialId === credential.id && event.ip === '127.0.0.1')).toBe(true);
  expect(events.every((event) => event.userAgent?.startsWith('Composer/'))).toBe(true);
  const downloads = events.filter(
    ({ action, package: name }) => action === 'archive.downloaded' && name === 'acme/forms',
  );
  expect(downloads.map(({ verdict, reason, licenseId, version }) => [verdict, reason, licenseId, version])).toEqual([
    ['admitted', null, license.id, '1.0.0'],
    ['refused', 'license-refunded', license.id, '1.0.0'],
  ]);
});
