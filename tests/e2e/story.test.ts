import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { aBrowser, aPage } from '../support/browser';
import { authJsonIn, basicAuth, type ComposerClient, composerIn } from '../support/composer-client';
import {
  anInstallation,
  eventually,
  type Installation,
  type Mail,
  type RunningServer,
} from '../support/running-server';
import { aZip } from '../support/zips';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

// One story on real parts, chapter by chapter; a chapter builds on those before it.

const BUYER = 'anna@shop.example';
const STAFF = 'sam@vendor.example';

let shop: Installation;
let server: RunningServer;
let browser: Browser;
let folder: string;

const complaints: string[] = [];
const told = { sent: null as unknown as Mail, auth: {} as { username: string; secret: string }, license: '' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-story-'));
  [shop, browser] = await Promise.all([anInstallation(), aBrowser()]);
  server = await shop.start();
  await shop.told('package', 'publish', await aZip({ name: 'acme/forms-pro', version: '1.2.0' }));
  const product = ['--slug', 'forms-pro', '--name', 'Forms Pro', '--package', 'acme/forms-pro'];
  await shop.told('product', 'create', ...product, '--price', 'price_forms');
  await shop.told('staff', 'invite', STAFF, '--role', 'support');
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await shop?.remove();
  await rm(folder, { recursive: true, force: true });
});

async function visit(): Promise<Page> {
  const opened = await aPage(browser, shop.url);
  complaints.push(...opened.complaints);
  opened.page.on('close', () => complaints.push(...opened.complaints));
  return opened.page;
}

/** A developer's machine that met this shop before, or not. */
function machine(name: string): Promise<ComposerClient> {
  return composerIn(join(folder, name), { url: shop.url });
}

function never(): never {
  throw new Error('The mail names no host.');
}

const mailTo = (to: string, kind: string) =>
  eventually(async () => (await shop.outbox()).findLast((mail) => mail.to === to && mail.kind === kind));

async function signIn(page: Page, email: string, at: string) {
  await page.goto(at);
  await page.waitForURL(/\/sign-in/);
  const before = (await shop.outbox()).length;
  await page.getByLabel('Mail address').fill(email);
  await page.getByRole('button', { name: 'Mail me a link' }).click();
  await page.getByRole('heading', { name: 'Look into your mailbox' }).waitFor();
  const mail = await eventually(async () =>
    (await shop.outbox()).slice(before).find((each) => each.to === email && each.kind === 'sign-in'),
  );
  const link = /https?:\/\/\S+\/sign-in\/confirm\S+/.exec(mail.text)?.[0] ?? '';
  await page.goto(link);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**${at}`);
}

test('a stranger buys in the shop window, and the credential is in the mail', async () => {
  const page = await visit();
  await page.goto('/');
  await page.getByRole('link', { name: 'Forms Pro' }).click();
  await page.getByRole('heading', { level: 1, name: 'Forms Pro' }).waitFor();
  await page.getByText('€49').first().waitFor();
  await page.getByLabel('Mail address').fill(BUYER);
  await page.getByRole('button', { name: 'Go to payment' }).click();
  await page.getByText('Pretend checkout: no money moves').waitFor();
  await page.getByRole('button', { name: /Pretend to pay/ }).click();
  await page.getByText('Your credential is in the mail').waitFor();

  await page.getByRole('link', { name: 'read it in the outbox' }).click();
  await page.getByRole('link', { name: /Forms Pro/ }).click();
  const shown = await page.getByRole('region', { name: 'As text' }).locator('pre').textContent();

  const mail = await mailTo(BUYER, 'license-issued');
  expect(shown?.trim()).toBe(mail.text.trim());
  const framed = page.frameLocator('iframe').locator('body');
  const { username, password: secret } = Object.values(authJsonIn(mail.text)['http-basic'])[0] ?? never();
  expect(username).toMatch(/^lk-forms-pro-[a-z0-9]{8}$/);
  expect(secret).toMatch(/^lk_live_[0-9A-Za-z]{38}$/);
  await framed.getByText(secret).first().waitFor();
  for (const line of [
    `composer config --global --auth bearer.${new URL(shop.url).host} ${secret}`,
    'composer config secure-http false',
    'composer require acme/forms-pro',
  ]) {
    expect(mail.text).toContain(line);
  }
  told.sent = mail;
  told.auth = { username, secret };
  await page.close();
});

test('the auth.json of the mail installs the module with the real Composer', async () => {
  const composer = await machine('laptop');
  await composer.authJson(authJsonIn(told.sent.text));
  const { exit, output } = await composer.run('require', 'acme/forms-pro');
  expect(output).toContain('Installing acme/forms-pro (1.2.0)');
  expect(exit).toBe(0);
  expect(await composer.file('vendor/acme/forms-pro/src/Forms.php')).toContain('final class Forms');
});

test('the lines of the mail, pasted one after the other into an empty folder, install it as well', async () => {
  const composer = await machine('pasted');
  await composer.change({ repositories: { 'packagist.org': false }, config: undefined });
  const lines = told.sent.text.split('\n').map((line) => line.trim());
  for (const begin of ['config --global --auth http-basic', 'config repositories', 'config secure-http', 'require']) {
    const line = lines.find((each) => each.startsWith(`composer ${begin}`)) ?? '';
    const { exit, output } = await composer.run(...line.split(' ').slice(1));
    expect(`${line}: ${exit} ${exit ? output : ''}`).toBe(`${line}: 0 `);
  }
  expect(await composer.installed()).toEqual({ 'acme/forms-pro': '1.2.0' });
});

test('the customer signs in by a mailed link and replaces the credential: the new one is shown once and works, the old one stops', async () => {
  const page = await visit();
  await signIn(page, BUYER, '/dashboard');
  await page.getByRole('heading', { level: 1, name: 'Your licenses' }).waitFor();
  const license = page.getByLabel('Forms Pro', { exact: true });
  await license.getByText('Good', { exact: true }).waitFor();
  await page.getByText(told.auth.username).first().waitFor();
  await page.getByText(/from 127\.0\.0\.1, Composer 2/).waitFor();
  expect(await page.content()).not.toContain(told.auth.secret);

  await page.getByRole('button', { name: 'Rotate now' }).click();
  const question = page.getByRole('alertdialog', { name: /^Rotate / });
  await question.getByText(/stops at once/).waitFor();
  await question.getByRole('button', { name: 'Rotate now' }).click();
  const sheet = page.getByRole('dialog', { name: 'Your new secret' });
  await sheet.waitFor();
  const values = await sheet.locator('dd code').allInnerTexts();
  const [username = '', secret = ''] = values;
  expect(username).toMatch(/^lk-forms-pro-[a-z0-9]{8}$/);
  expect(username).not.toBe(told.auth.username);
  await sheet.getByRole('button', { name: 'Done' }).click();
  await sheet.getByRole('button', { name: 'I have it, close' }).click();
  await sheet.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByText(username).first().waitFor();
  expect(await page.content()).not.toContain(secret);
  await page.close();

  const old = await machine('old-secret');
  await old.authJson(basicAuth(shop.url, told.auth));
  const refused = await old.run('require', 'acme/forms-pro');
  expect(refused.exit).not.toBe(0);
  expect(refused.output).toMatch(/This credential was replaced on .* Use its successor/);

  const fresh = await machine('new-secret');
  await fresh.authJson(basicAuth(shop.url, { username, secret }));
  expect((await fresh.run('require', 'acme/forms-pro')).exit).toBe(0);
  told.auth = { username, secret };
});

test('a refund ends it: the next install is refused with a sentence in the terminal, and the buyer gets a mail', async () => {
  const composer = await machine('laptop');
  await composer.authJson(basicAuth(shop.url, told.auth));
  const { licenses } = await shop.told<{ licenses: { id: string; purchase: { id: string } }[] }>(
    'customer',
    'show',
    BUYER,
  );
  told.license = licenses[0]?.id ?? '';
  const page = await visit();
  await signIn(page, BUYER, `/dashboard/licenses/${told.license}`);
  await page.getByRole('button', { name: /^Refund €/ }).click();
  await page
    .getByRole('alertdialog')
    .getByRole('button', { name: /^Refund €/ })
    .click();
  await page
    .getByText(/Refunded on \d+ \w+ \d{4}/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: /^Refund €/ }).waitFor({ state: 'detached' });

  await rm(join(composer.project, 'vendor'), { recursive: true });
  await composer.dropArchives();
  const { exit, output } = await composer.run('install');

  expect(exit).not.toBe(0);
  expect(output).toMatch(/[Tt]he license was refunded on \d+ \w+ \d{4} and access ended/);
  expect(await composer.installed()).toEqual({});
  expect((await mailTo(BUYER, 'license-refunded')).text).toContain('Forms Pro');
});

test('staff see each of these attempts in the audit log, with address, package and license', async () => {
  const page = await visit();
  await signIn(page, STAFF, '/console/audit');
  await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor();
  const downloads = page.getByRole('row', { name: /Archive downloaded/ });
  await eventually(async () => {
    await page.reload();
    return (await downloads.count()) > 0 && (await page.getByRole('row', { name: /refunded/ }).count()) > 0;
  });

  const rows = await downloads.allInnerTexts();
  expect(rows.filter((row) => row.includes('Admitted')).length).toBeGreaterThanOrEqual(3);
  const refused = rows.filter((row) => row.includes('Refused'));
  expect(refused).toHaveLength(1);
  for (const fact of ['the license was refunded', 'acme/forms-pro@1.2.0', told.license, '127.0.0.1']) {
    expect(refused[0]).toContain(fact);
  }
  await downloads.filter({ hasText: 'Refused' }).getByRole('link').click();
  const panel = page.getByRole('complementary', { name: 'Archive downloaded' });
  await panel.getByText(BUYER).waitFor();
  await panel.getByRole('link', { name: told.license }).waitFor();
  await panel.getByText(/^Composer\//).waitFor();
  await page.close();

  const verified = await shop.told<{ ok: boolean }>('audit', 'verify');
  expect(verified.ok).toBe(true);
});

test('a stranger is led from guarded pages to the door, and no page complained in the browser', async () => {
  for (const path of ['/dashboard', '/console', '/console/audit']) {
    const answer = await fetch(shop.url + path, { redirect: 'manual' });
    expect([302, 303, 307]).toContain(answer.status);
    expect(answer.headers.get('location')).toContain('/sign-in');
  }
  const page = await visit();
  await signIn(page, BUYER, '/dashboard');
  expect((await page.goto('/console/audit'))?.status()).not.toBe(200);
  await page.close();
  expect(complaints.filter((each) => !/Failed to load resource/.test(each))).toEqual([]);
});
