import { expect, test } from 'vitest';
import { lookupClaims, lookupPackage } from '../../lib/catalog/lookup';
import { offerBySlug, offers } from '../../lib/catalog/offers';
import { createProduct, findProduct, type NewProduct } from '../../lib/catalog/products';
import { aTestApp, TEST_START, type TestApp } from '../support/test-app';

function forms(over: Partial<NewProduct> = {}): NewProduct {
  return {
    slug: 'forms-pro',
    name: 'Forms Pro',
    packages: ['acme/forms'],
    termMonths: 12,
    lapse: 'keep-versions',
    prices: [{ id: 'price_1', amountMinor: 9_900, currency: 'eur' }],
    listed: true,
    by: { kind: 'cli' },
    ...over,
  };
}

async function counts(app: TestApp) {
  const [products, packages, prices, events] = await Promise.all([
    app.db.product.count(),
    app.db.package.count(),
    app.db.price.count(),
    app.db.auditEvent.count(),
  ]);
  return { products, packages, prices, events };
}

test('a product claims its packages before they have a release, and is for sale', async () => {
  const app = await aTestApp();

  const product = await createProduct(
    app,
    forms({ packages: ['acme/forms', 'beta/pay', 'acme/forms'], summary: 'Forms for shops.' }),
  );

  expect(product).toMatchObject({ slug: 'forms-pro', termMonths: 12, lapse: 'keep-versions', refundWindowDays: 30 });
  expect(await findProduct(app, 'forms-pro')).toEqual({ ...product, packageNames: ['acme/forms', 'beta/pay'] });
  for (const name of ['acme/forms', 'beta/pay']) {
    expect(await lookupPackage(app.pool, name)).toMatchObject({ name, revision: 0, changedAt: TEST_START });
  }
  expect(await lookupClaims(app.pool)).toEqual({ vendors: ['acme', 'beta'], changedAt: TEST_START });
  expect(await offerBySlug(app, 'forms-pro')).toMatchObject({
    name: 'Forms Pro',
    summary: 'Forms for shops.',
    price: { amountMinor: 9_900, currency: 'eur' },
    packages: [{ name: 'acme/forms' }, { name: 'beta/pay' }],
  });
  const events = await app.db.auditEvent.findMany();
  expect(events.map(({ action, package: name, actor }) => [action, name, actor]).sort()).toEqual([
    ['package.created', 'acme/forms', 'cli'],
    ['package.created', 'beta/pay', 'cli'],
    ['product.created', null, 'cli'],
  ]);
});

test('several products may open the same package, and an unlisted one is not in the shop window', async () => {
  const app = await aTestApp();
  await createProduct(app, forms());
  await createProduct(
    app,
    forms({
      slug: 'bundle',
      name: 'Bundle',
      packages: ['acme/forms', 'acme/pay'],
      prices: [],
      listed: false,
      termMonths: null,
    }),
  );

  expect((await findProduct(app, 'bundle'))?.packageNames).toEqual(['acme/forms', 'acme/pay']);
  expect(await app.db.package.count()).toBe(2);
  expect((await offers(app)).map(({ slug }) => slug)).toEqual(['forms-pro']);
  expect(await findProduct(app, 'nothing')).toBeNull();
});

const REFUSED: [code: string, over: Partial<NewProduct>][] = [
  ['slug-taken', {}],
  ['slug-invalid', { slug: 'Forms' }],
  ['slug-invalid', { slug: 'forms--pro' }],
  ['slug-invalid', { slug: `${'a'.repeat(48)}b` }],
  ['slug-invalid', { slug: 'forms-pro\n' }],
  ['product-name-invalid', { slug: 'other', name: '   ' }],
  ['product-name-invalid', { slug: 'other', name: 'Forms\nPro' }],
  ['package-name-missing', { slug: 'other', packages: [] }],
  ['package-name-invalid', { slug: 'other', packages: ['acme/new', 'Acme/Forms'] }],
  ['package-name-invalid', { slug: 'other', packages: ['php'] }],
  ['term-invalid', { slug: 'other', termMonths: 0 }],
  ['term-invalid', { slug: 'other', termMonths: 1.5 }],
  ['lapse-invalid', { slug: 'other', lapse: 'forget' }],
  ['refund-window-invalid', { slug: 'other', refundWindowDays: 91 }],
  ['price-invalid', { slug: 'other', prices: [{ id: '' }] }],
  ['price-taken', { slug: 'other', packages: ['acme/new'] }],
  ['price-taken', { slug: 'other', packages: ['acme/new'], prices: [{ id: 'price_2' }, { id: 'price_2' }] }],
];

test('a product that cannot be made is refused with a code and one sentence, and nothing is made', async () => {
  const app = await aTestApp();
  await createProduct(app, forms());
  const before = await counts(app);

  for (const [code, over] of REFUSED) {
    await expect(createProduct(app, forms(over)), JSON.stringify(over)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^[^\n]+\.$/),
    });
  }

  expect(await counts(app)).toEqual(before);
});

// Two terminals, or a script run twice: the second must hear a sentence, not a database error.
test('products made at the same time with one slug, price or package agree', async () => {
  const app = await aTestApp();
  const wanted = [
    forms({ packages: ['acme/a', 'acme/b', 'acme/c'] }),
    forms({ packages: ['acme/c', 'acme/b', 'acme/a'] }),
    forms({ slug: 'other', packages: ['acme/b', 'acme/a'] }),
    forms({ slug: 'third', packages: ['acme/c', 'acme/a'], prices: [] }),
  ];

  const answers = await Promise.allSettled(wanted.map((each) => createProduct(app, each)));

  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []));
  expect(refusals.every((code) => code === 'slug-taken' || code === 'price-taken')).toBe(true);
  expect(refusals).toHaveLength(2);
  expect(await app.db.price.count()).toBe(1);
  expect(await app.db.package.count()).toBe(3);
});
