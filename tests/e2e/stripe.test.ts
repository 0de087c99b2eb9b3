import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { App } from '../../lib/ports/app';
import { authJsonIn, composerIn } from '../support/composer-client';
import { anInstallation, eventually, type Installation, type RunningServer } from '../support/running-server';
import { aStripe, type SignedNotice, type StripeStandIn } from '../support/stripe-stand-in';
import { aZip } from '../support/zips';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

// The same story with a server that believes in Stripe: objects read by id over HTTP, notices signed.

let stripe: StripeStandIn;
let shop: Installation;
let server: RunningServer;
let app: App;
let close: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-stripe-story-'));
  stripe = await aStripe();
  shop = await anInstallation({
    env: {
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
      STRIPE_API_BASE: stripe.url,
    },
  });
  server = await shop.start();
  ({ app, close } = await shop.app());
  const price = stripe.sells({ name: 'Forms Pro', amountMinor: 9_900 });
  await shop.told('package', 'publish', await aZip({ name: 'acme/forms-pro', version: '1.2.0' }));
  const product = ['--slug', 'forms-pro', '--name', 'Forms Pro', '--package', 'acme/forms-pro'];
  await shop.told('product', 'create', ...product, '--price', price.id);
});

afterAll(async () => {
  await close?.();
  await server?.stop();
  await shop?.remove();
  await stripe?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Stripe sends what it has to tell, or these. */
async function deliver(notices: SignedNotice[] = stripe.notices.splice(0)): Promise<number[]> {
  const statuses: number[] = [];
  for (const { body, signature } of notices) {
    const answer = await fetch(`${shop.url}/api/stripe/webhook`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Stripe-Signature': signature },
      body: new Uint8Array(body),
    });
    statuses.push(answer.status);
  }
  return statuses;
}

/** The buyer fills in the form of the product's page, with scripts switched off; the session that it opens at Stripe. */
async function buy(email: string): Promise<string> {
  const address = `${shop.url}/products/forms-pro`;
  const page = await (await fetch(address)).text();
  const [form = ''] = /<form[\s\S]*?<\/form>/.exec(page) ?? [];
  const fields = new FormData();
  for (const [input] of form.matchAll(/<input [^>]*>/g)) {
    const attribute = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1]?.replaceAll('&quot;', '"');
    const name = attribute('name');
    if (name) fields.set(name, attribute('value') ?? '');
  }
  fields.set('email', email);
  const answer = await fetch(address, { method: 'POST', body: fields, redirect: 'manual' });
  expect(answer.status).toBe(303);
  return new URL(answer.headers.get('location') ?? '').pathname.split('/').at(-1) ?? '';
}

function machine(name: string) {
  return composerIn(join(folder, name), { url: shop.url });
}

const mailTo = async (to: string, kind: string) =>
  (await shop.outbox()).find((mail) => mail.to === to && mail.kind === kind);

const story = { chargeId: '' };

test('Buy leads to a session at Stripe, its signed notice makes the license, and the mail installs it', async () => {
  const sessionId = await buy('anna@shop.example');
  const bought = stripe.pays(sessionId, { email: 'anna@shop.example', name: 'Anna' });
  expect(bought.session).toMatchObject({
    amount_total: 9_900,
    customer_email: 'anna@shop.example',
    invoice_creation: { enabled: true },
    metadata: { latchkey_product: expect.stringMatching(/^prd_/) },
  });
  story.chargeId = bought.chargeId;

  expect(await deliver()).toEqual([200]);

  const mail = await eventually(() => mailTo('anna@shop.example', 'license-issued'));
  const composer = await machine('laptop');
  await composer.authJson(authJsonIn(mail.text));
  const { exit, output } = await composer.run('require', 'acme/forms-pro');
  expect(`${exit} ${exit ? output : ''}`).toBe('0 ');
  expect(await composer.installed()).toEqual({ 'acme/forms-pro': '1.2.0' });
});

test('a notice that Stripe did not sign, or signed long ago, is refused, and nothing is stored of it', async () => {
  const before = await app.db.notice.count();
  const paid = stripe.notice('checkout.session.completed', { id: 'cs_test_forged' });
  const old = stripe.notice('charge.refunded', { id: story.chargeId }, { signedAt: new Date(Date.now() - 3_600_000) });
  const changed = { ...paid, body: Buffer.from(paid.body.toString().replace('forged', 'forgee')) };
  expect(await deliver([{ ...paid, signature: 't=1,v1=00' }, changed, old])).toEqual([400, 400, 400]);
  expect(await app.db.notice.count()).toBe(before);
});

test('a repeated notice changes nothing', async () => {
  const { session } = stripe.pays(await buy('ben@shop.example'), { email: 'ben@shop.example' });
  const [notice] = stripe.notices.splice(0);
  if (!notice) throw new Error('Stripe has nothing to tell.');
  const again = stripe.notice('checkout.session.completed', session);
  expect(await deliver([notice, notice, again])).toEqual([200, 200, 200]);
  await eventually(async () => (await app.db.notice.count({ where: { handledAt: null } })) === 0);
  const shown = await shop.told<{ licenses: object[]; credentials: object[] }>('customer', 'show', 'ben@shop.example');
  expect([shown.licenses.length, shown.credentials.length]).toEqual([1, 1]);
  expect((await shop.outbox()).filter((mail) => mail.to === 'ben@shop.example')).toHaveLength(1);
});

test('a refund at Stripe ends the next install with a sentence', async () => {
  stripe.refunds({ chargeId: story.chargeId });
  expect(await deliver()).toEqual([200, 200]);
  await eventually(() => mailTo('anna@shop.example', 'license-refunded'));

  const composer = await machine('laptop');
  await rm(join(composer.project, 'vendor'), { recursive: true });
  await composer.dropArchives();
  const { exit, output } = await composer.run('install');

  expect(exit).not.toBe(0);
  expect(output).toMatch(/The license was refunded on \d+ \w+ \d{4} and access ended/);
  expect(await composer.installed()).toEqual({});
  const { events } = await shop.told<{ events: { licenseId: string; ip: string; reason: string }[] }>(
    'audit',
    'search',
    '--customer',
    'anna@shop.example',
    '--verdict',
    'refused',
  );
  expect(events[0]).toMatchObject({
    ip: '127.0.0.1',
    reason: 'license-refunded',
    licenseId: expect.stringMatching(/^lic_/),
  });
});

test('while Stripe is away nothing is done on a payload’s word; once it is back, everything is', async () => {
  const carla = stripe.pays(await buy('carla@shop.example'), { email: 'carla@shop.example' });
  const dora = stripe.pays(await buy('dora@shop.example'), { email: 'dora@shop.example' });
  await deliver(stripe.notices.splice(1, 1));
  await eventually(() => mailTo('dora@shop.example', 'license-issued'));
  stripe.refunds({ chargeId: dora.chargeId });

  stripe.away('closed');
  // Carla's payment, and Dora's refund in two notices: all are stored, so that Stripe need not send them again.
  expect(await deliver()).toEqual([200, 200, 200]);
  const waiting = () => app.db.notice.findMany({ where: { handledAt: null } });
  await eventually(async () => (await waiting()).filter((notice) => notice.attempts > 0).length === 3);
  expect((await waiting()).every((notice) => notice.note?.startsWith('Stripe did not answer'))).toBe(true);
  expect((await shop.latchkey('customer', 'show', 'carla@shop.example')).exit).toBe(1);
  expect(await mailTo('carla@shop.example', 'license-issued')).toBeUndefined();
  const standing = async () =>
    (await shop.told<{ licenses: { standing: string }[] }>('customer', 'show', 'dora@shop.example')).licenses[0]
      ?.standing;
  expect(await standing()).toBe('good');

  stripe.back();
  // The server itself looks every minute; this is the same look, now.
  await shop.told('jobs', 'run');
  await eventually(async () => (await waiting()).length === 0);
  await eventually(() => mailTo('carla@shop.example', 'license-issued'));
  await eventually(() => mailTo('dora@shop.example', 'license-refunded'));
  expect(await standing()).toBe('refunded');
  expect(await app.db.purchase.count({ where: { chargeId: carla.chargeId, refundedMinor: 0 } })).toBe(1);
});

test('a payment for something else on the same Stripe account loses nothing and asks staff', async () => {
  const price = stripe.sells({ name: 'Consulting', amountMinor: 50_000 });
  stripe.buys({ email: 'eva@shop.example', lines: [{ price }] });
  expect(await deliver()).toEqual([200]);
  const task = await eventually(() => app.db.staffTask.findFirst());
  expect(JSON.stringify(task.facts)).toContain(price.id);
  expect(await mailTo('eva@shop.example', 'license-issued')).toBeUndefined();
});
