import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { diskArchive } from '../../lib/adapters/archive-disk';
import { pretendPayments } from '../../lib/adapters/payments-pretend';
import { canonical, type EventData } from '../../lib/audit/canonical';
import { proves } from '../../lib/audit/proof';
import { offers } from '../../lib/catalog/offers';
import { credentialsOfCustomer } from '../../lib/credentials/find';
import { findCustomer } from '../../lib/identity/customers';
import { inviteStaff } from '../../lib/identity/staff';
import { silentLog } from '../../lib/kit/log';
import { Secret } from '../../lib/kit/secret';
import { licensesOfCustomer } from '../../lib/licenses/find';
import type { App } from '../../lib/ports/app';
import { fillCatalog, MODULES } from '../../prisma/scenes/catalog';
import { wholeReleases } from '../../prisma/scenes/modules/module';
import { type DemoSummary, loadDemo } from '../../prisma/seed';
import { aTestApp, TEST_START } from '../support/test-app';

const run = promisify(execFile);

async function anEmptyShop(world: Partial<Pick<App, 'payments'>> = {}) {
  const app = await aTestApp();
  const archive = diskArchive(join(app.dataFolder, 'archives'));
  const payments =
    world.payments ??
    pretendPayments({
      mode: 'demo',
      folder: join(app.dataFolder, 'pretend-stripe'),
      webhookSecret: new Secret('whsec_test'),
      checkoutUrl: (id) => `http://localhost:3000/pretend-checkout/${id}`,
      // Nobody listens there: history tells nobody.
      deliverTo: 'http://127.0.0.1:9/',
      clock: app.clock,
      log: silentLog,
    });
  return Object.assign(app, { archive, payments });
}

async function standingsOf(app: App, email: string): Promise<string[]> {
  const customer = await findCustomer(app, email);
  const licenses = customer ? await licensesOfCustomer(app, customer.id) : [];
  return licenses.map((each) => each.standing);
}

async function credentialsOf(app: App, email: string) {
  const customer = await findCustomer(app, email);
  return customer ? credentialsOfCustomer(app, customer.id) : [];
}

test('the demo vendor fills an empty database: something to sell, customers in every standing, weeks of history', async () => {
  const app = await anEmptyShop();
  const demo = await loadDemo(app);

  expect(demo).toMatchObject({ require: 'acme/laravel-invoices', vendor: 'acme' });
  expect((await offers(app)).map(({ slug, price }) => [slug, price?.amountMinor]).sort()).toEqual([
    ['agency-bundle', 34_900],
    ['delivery-dates', 14_900],
    ['laravel-invoices', 19_900],
    ['wp-forms', 5_900],
  ]);
  expect(demo?.products.toSorted()).toEqual(['agency-bundle', 'delivery-dates', 'laravel-invoices', 'wp-forms']);
  for (const { stripePriceId, amountMinor } of await app.db.price.findMany()) {
    expect(await app.payments.price(stripePriceId)).toMatchObject({ amountMinor, currency: 'eur' });
  }

  const of = (email: string) => standingsOf(app, `${email}@demo.test`);
  expect(await of('shop')).toEqual(['good']);
  expect(await of('agency')).toEqual(Array.from({ length: 11 }, () => 'good'));
  expect(await of('bakery')).toEqual(['lapsed']);
  expect(await of('gym')).toEqual(['lapsed']);
  expect(await of('toys')).toEqual(['refunded']);
  expect(await of('wine')).toEqual(['suspended']);
  expect(await of('books')).toEqual(['revoked']);
  expect(await of('garden')).toEqual(['good']);
  expect(
    (await credentialsOf(app, 'garden@demo.test')).map((each) => [each.standing, each.overlapEndsAt !== null]),
  ).toEqual([
    ['working', false],
    ['working', true],
  ]);
  expect(await app.db.customer.count({ where: { email: null } })).toBe(1);
  expect((await app.db.staffTask.findMany()).map((task) => task.kind)).toEqual(['dispute-opened']);

  // Everybody who is named can sign in.
  for (const { email } of demo?.signIns ?? []) {
    const user = await app.db.user.findUnique({ where: { email }, include: { staff: true, members: true } });
    expect(user && (user.staff !== null || user.members.length > 0), email).toBe(true);
  }
  await expectHistory(app);
});

/** What the gate would have written: proven, of working hours, and never of the future. */
async function expectHistory(app: App): Promise<void> {
  const events = await app.db.auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] });
  expect(events.every((event) => event.at <= TEST_START)).toBe(true);
  for (const { proof, at, data, ...event } of events) {
    const row = { ...event, at: at.getTime(), data: data as EventData | null };
    expect(proof && proves(app.keys, proof, canonical(row))).toBe(true);
  }

  const asked = events.filter((event) => event.verdict !== null);
  expect(asked.length).toBeGreaterThan(2_000);
  expect(asked.length).toBeLessThan(6_000);
  const reasons = new Set(asked.map((event) => event.reason));
  for (const reason of [
    'license-revoked',
    'license-lapsed',
    'license-suspended',
    'credential-rotated',
    'newer-than-term',
    'wrong-credential',
  ]) {
    expect(reasons, `among ${[...reasons]}`).toContain(reason);
  }
  const byHour = (from: number, to: number) =>
    asked.filter(({ at, reason }) => reason !== 'wrong-credential' && at.getUTCHours() >= from && at.getUTCHours() < to)
      .length;
  expect(byHour(7, 17)).toBeGreaterThan(4 * byHour(18, 24));

  // Last use is what the log says it is.
  for (const credential of await app.db.credential.findMany()) {
    const last = asked.findLast((event) => event.credentialId === credential.id && event.verdict === 'admitted');
    expect([credential.lastValidatedAt, credential.lastUsedIp]).toEqual([last?.at ?? null, last?.ip ?? null]);
  }
}

test('of the demo only the order of today is mailed, with the credential that is printed', async () => {
  const app = await anEmptyShop();
  // An invitation from before the first start still goes out.
  await inviteStaff(app, { email: 'owner@demo.test', role: 'support', by: { kind: 'cli' } });
  const demo = await loadDemo(app);

  const waiting = await app.db.mail.findMany({ where: { sentAt: null }, orderBy: { kind: 'asc' } });
  expect(waiting.map(({ kind, to }) => [kind, to])).toEqual([
    ['license-issued', 'shop@demo.test'],
    ['sign-in', 'owner@demo.test'],
  ]);
  expect(await app.db.staff.findFirst({ where: { user: { email: 'owner@demo.test' } } })).toMatchObject({
    role: 'owner',
  });
  expect(await app.db.mail.count({ where: { sentAt: { not: null }, sealed: { not: null } } })).toBe(0);
  const { username, secret } = demo!.credential!;
  const credential = await app.db.credential.findUniqueOrThrow({ where: { username } });
  expect(await app.passwords.matches(secret, credential.secretHash)).toBe(true);
  // The secret stands in clear in the mail that carries it, once it is delivered, and nowhere in the database.
  const { rows } = await app.pool.query(
    `select count(*)::int as found from (
       select to_jsonb(c)::text as row from credentials c union all select to_jsonb(m)::text from mails m
       union all select to_jsonb(e)::text from audit_events e
     ) as everything where strpos(row, $1) > 0`,
    [secret.reveal()],
  );
  expect(rows).toEqual([{ found: 0 }]);
});

test('servers that start at the same time load one demo, and a failed load leaves nothing', async () => {
  const app = await anEmptyShop();
  const failing = {
    ...app,
    payments: { ...app.payments, chargeOfPaymentIntent: () => Promise.reject(new Error('gone')) },
  };
  await expect(loadDemo(failing)).rejects.toThrow('gone');
  expect(await Promise.all([app.db.product.count(), app.db.user.count(), app.db.auditEvent.count()])).toEqual([
    0, 0, 0,
  ]);

  const [one, other] = await Promise.all([loadDemo(app), loadDemo(app)]);

  expect(one?.credential?.username).toBe(other?.credential?.username);
  expect(await app.db.product.count()).toBe(4);
  await expectRemembered(app, one);
});

/** A later start loads nothing, and tells the credential again until it is of no use any more. */
async function expectRemembered(app: App, first: DemoSummary | null): Promise<void> {
  const counts = async () =>
    Promise.all([app.db.product.count(), app.db.license.count(), app.db.auditEvent.count(), app.db.mail.count()]);
  const before = await counts();

  const second = await loadDemo(app);

  expect(second?.credential?.secret.reveal()).toBe(first?.credential?.secret.reveal());
  expect({ ...second, credential: null }).toEqual({ ...first, credential: null });
  expect(await counts()).toEqual(before);

  await app.db.credential.update({ where: { username: first!.credential!.username }, data: { revokedAt: TEST_START } });
  expect((await loadDemo(app))?.credential).toBeNull();
}

test('beside a real payment provider the same licenses are gifts, and no order is made up', async () => {
  const app = await anEmptyShop({ payments: { name: 'stripe' } as App['payments'] });
  const demo = await loadDemo(app);

  expect(demo?.credential).not.toBeNull();
  expect(await app.db.purchase.count()).toBe(0);
  expect(await app.db.price.count()).toBe(0);
  expect(await standingsOf(app, 'agency@demo.test')).toHaveLength(11);
  expect(await standingsOf(app, 'toys@demo.test')).toEqual(['refunded']);
  expect(await standingsOf(app, 'wine@demo.test')).toEqual(['suspended']);
});

test("somebody's own products are left alone", async () => {
  const app = await anEmptyShop();
  await app.db.product.create({
    data: { id: 'prd_own', slug: 'own', name: 'Own', createdAt: TEST_START, changedAt: TEST_START },
  });
  expect(await loadDemo(app)).toBeNull();
  expect(await app.db.customer.count()).toBe(0);
});

test('every release of the demo is PHP that parses, in a package that Composer calls valid', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-demo-modules-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = { ...process.env, COMPOSER_HOME: join(folder, 'home'), COMPOSER_ALLOW_SUPERUSER: '1' };
  const checked = new Set<string>();
  const isNew = (text: string) => {
    const hash = createHash('sha1').update(text).digest('hex');
    return !checked.has(hash) && Boolean(checked.add(hash));
  };
  for (const module of MODULES) {
    for (const { version, files } of wholeReleases(module)) {
      for (const [path, text] of files) {
        if (!isNew(text)) continue;
        const file = join(folder, module.name, version, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
        if (path.endsWith('.php')) await run('php', ['-l', file]);
        if (path === 'composer.json') {
          await run('composer', ['validate', '--strict', '--no-interaction'], { cwd: dirname(file), env });
        }
      }
    }
  }
  expect(checked.size).toBeGreaterThan(25);
});

// Somebody's first minute: the line that is printed must install with nothing but this shop to ask.
test('the modules install with the real Composer and do what they say', async () => {
  const app = await anEmptyShop();
  await fillCatalog(app);
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-demo-project-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const packages = [];
  for (const release of await app.db.release.findMany({ include: { package: true } })) {
    const { archiveSha256: sha256, archiveSha1: shasum } = release;
    const file = join(app.dataFolder, 'archives', sha256.slice(0, 2), sha256.slice(2, 4), `${sha256}.zip`);
    packages.push({ ...(release.metadata as object), dist: { type: 'zip', url: `file://${file}`, shasum } });
  }
  await writeFile(
    join(folder, 'composer.json'),
    JSON.stringify({
      repositories: [{ type: 'package', package: packages }, { 'packagist.org': false }],
      require: { 'acme/laravel-invoices': '*', 'acme/module-delivery-dates': '*', 'acme/wp-forms': '*' },
    }),
  );
  const env = {
    ...process.env,
    COMPOSER_HOME: join(folder, 'home'),
    COMPOSER_CACHE_DIR: join(folder, 'cache'),
    COMPOSER_ALLOW_SUPERUSER: '1',
    COMPOSER_DISABLE_NETWORK: '1',
  };
  await run('composer', ['update', '--no-interaction'], { cwd: folder, env });

  const lock = JSON.parse(await readFile(join(folder, 'composer.lock'), 'utf8'));
  expect(lock.packages.map((each: { name: string; version: string }) => `${each.name} ${each.version}`)).toEqual([
    'acme/laravel-invoices 1.2.1',
    'acme/module-delivery-dates 2.0.0',
    'acme/wp-forms 3.3.0',
  ]);
  const script = `require 'vendor/autoload.php';
    $invoice = (new Acme\\Invoices\\Invoice('Ada', 'EUR'))->add(new Acme\\Invoices\\Line('Consulting', 3, 12000, 19));
    $calendar = new Acme\\DeliveryDates\\Model\\Calendar('14:00', 2, new Acme\\DeliveryDates\\Model\\Holidays('DE'));
    $field = new Acme\\WpForms\\Field('mail', 'Your mail', 'email', true);
    echo json_encode([
      $invoice->totalMinor(),
      $calendar->earliestArrival(new DateTimeImmutable('2026-12-23 15:00'))->format('Y-m-d'),
      $field->fault('nobody'),
    ]);`;
  const { stdout } = await run('php', ['-r', script], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual([42_840, '2026-12-29', 'Your mail is no mail address.']);
});
