import { expect, test } from 'vitest';
import { offerBySlug, offers, refundSentence, termSentence } from '../../lib/catalog/offers';
import { addDays } from '../../lib/kit/clock';
import { aTestApp, type TestApp } from '../support/test-app';

async function aProduct(app: TestApp, slug: string, more: { listed?: boolean; archivedAt?: Date } = {}): Promise<void> {
  const at = app.clock.now();
  await app.db.product.create({
    data: {
      id: `prd_${slug}`,
      slug,
      name: slug,
      createdAt: at,
      changedAt: at,
      packages: {
        create: { package: { create: { id: `pkg_${slug}`, name: `acme/${slug}`, createdAt: at, changedAt: at } } },
      },
      ...more,
    },
  });
}

async function aRelease(
  app: TestApp,
  slug: string,
  version: string,
  { daysAgo, withdrawn = false, stability = 'stable' }: { daysAgo: number; withdrawn?: boolean; stability?: string },
): Promise<void> {
  await app.db.release.create({
    data: {
      id: `rel_${slug}_${version}`,
      packageId: `pkg_${slug}`,
      version,
      versionNormalized: `${version}.0`,
      stability,
      metadata: { require: { php: '>=8.1', 'acme/core': '^1', 'magento/framework': `^${version}` } },
      archiveSha256: 'a',
      archiveSha1: 'a',
      archiveBytes: 1n,
      publishedAt: addDays(app.clock.now(), -daysAgo),
      withdrawnAt: withdrawn ? app.clock.now() : null,
    },
  });
}

test('the shop window lists what is listed; an unlisted product is shown to whoever has its link', async () => {
  const app = await aTestApp();
  await aProduct(app, 'forms');
  await aProduct(app, 'on-request', { listed: false });
  await aProduct(app, 'bygone', { archivedAt: app.clock.now() });

  expect((await offers(app)).map((each) => each.slug)).toEqual(['forms']);
  expect(await offerBySlug(app, 'on-request')).toMatchObject({ slug: 'on-request' });
  expect(await offerBySlug(app, 'bygone')).toBeNull();
});

test('releases stand newest version first, without branches and what was withdrawn, and the newest says what is required', async () => {
  const app = await aTestApp();
  await aProduct(app, 'forms');
  await aRelease(app, 'forms', '2.10.0', { daysAgo: 20 });
  await aRelease(app, 'forms', '2.9.0', { daysAgo: 30 });
  await aRelease(app, 'forms', '1.9.8', { daysAgo: 1 });
  await aRelease(app, 'forms', '2.11.0', { daysAgo: 0, withdrawn: true });
  await aRelease(app, 'forms', '9.9.9', { daysAgo: 0, stability: 'dev' });
  await aRelease(app, 'forms', '3.0.0-beta1', { daysAgo: 0, stability: 'beta' });

  const [forms] = (await offerBySlug(app, 'forms'))?.packages ?? [];
  expect(forms?.releases.map((each) => each.version)).toEqual(['3.0.0-beta1', '2.10.0', '2.9.0', '1.9.8']);
  expect(forms?.latest, 'nobody is sold a beta as the latest').toBe('2.10.0');
  expect(forms?.requires).toEqual([
    { name: 'php', constraint: '>=8.1' },
    { name: 'magento/framework', constraint: '^2.10.0' },
  ]);
});

test('the price shown is the one a checkout would charge now; a product without one is not for sale', async () => {
  const app = await aTestApp();
  await aProduct(app, 'forms');
  expect(await offerBySlug(app, 'forms')).toMatchObject({ forSale: false, price: null });

  const price = (id: string, amountMinor: number | null, daysAgo: number, active = true) =>
    app.db.price.create({
      data: {
        id: `pri_${id}`,
        stripePriceId: `price_${id}`,
        productId: 'prd_forms',
        amountMinor,
        currency: amountMinor === null ? null : 'eur',
        active,
        createdAt: addDays(app.clock.now(), -daysAgo),
      },
    });
  await price('unread', null, 0);
  expect(await offerBySlug(app, 'forms')).toMatchObject({ forSale: true, price: null });

  await price('old', 7_900, 400);
  await price('current', 9_900, 10);
  await price('retired', 1_900, 5, false);
  expect(await offerBySlug(app, 'forms')).toMatchObject({
    forSale: true,
    price: { amountMinor: 9_900, currency: 'eur' },
  });
});

test('terms and refunds are said in sentences', () => {
  expect(termSentence(12, 'keep-versions')).toBe(
    '12 months of updates. Versions released in that time stay installable for ever.',
  );
  expect(termSentence(1, 'stop')).toBe('Installs and updates for 1 month. Renew to go on installing after that.');
  expect(termSentence(null, 'keep-versions')).toBe('All updates, without an end.');
  expect(refundSentence(30)).toBe('Refund within 30 days, in two clicks.');
  expect(refundSentence(0)).toBe('For a refund, write to us.');
});
