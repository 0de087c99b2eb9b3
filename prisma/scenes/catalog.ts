import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { isPretend } from '../../lib/billing/pretend';
import { createProduct, type Product } from '../../lib/catalog/products';
import { publishArchive } from '../../lib/catalog/publish';
import { withdrawRelease } from '../../lib/catalog/releases';
import { HOUR } from '../../lib/kit/clock';
import type { App } from '../../lib/ports/app';
import { deliveryDates } from './modules/delivery-dates';
import { laravelInvoices } from './modules/laravel-invoices';
import { type DemoModule, wholeReleases } from './modules/module';
import { wpForms } from './modules/wp-forms';
import { at, workday } from './past';

export const MODULES: readonly DemoModule[] = [deliveryDates, wpForms, laravelInvoices];

export type Slug = 'delivery-dates' | 'wp-forms' | 'laravel-invoices' | 'agency-bundle';

/** A product with what its checkout needs to know. */
export interface Sold {
  product: Product;
  stripePriceId: string;
  amountMinor: number;
}

interface Plan {
  slug: Slug;
  name: string;
  summary: string;
  description: string;
  packages: string[];
  termMonths: number | null;
  lapse: 'keep-versions' | 'stop';
  refundWindowDays: number;
  amountMinor: number;
  daysAgo: number;
}

const PLANS: Plan[] = [
  {
    slug: 'delivery-dates',
    name: 'Delivery Dates for Magento 2',
    summary: 'Tells buyers when their parcel can arrive.',
    description:
      'Knows your cut-off time, your carriers’ working days and the public holidays of Germany, Austria and the Netherlands, and puts one honest sentence under each product.\n\n- Product pages, checkout and order mails\n- Holidays that follow Easter are worked out, not looked up\n- No requests to anybody else’s server',
    packages: [deliveryDates.name],
    termMonths: 12,
    lapse: 'keep-versions',
    refundWindowDays: 30,
    amountMinor: 14_900,
    daysAgo: 424,
  },
  {
    slug: 'wp-forms',
    name: 'Acme Forms for WordPress',
    summary: 'Contact and order forms that lose no message.',
    description:
      'Every message is kept in the database before the mail about it is sent, so a mail server that is down costs you nothing.\n\n- Checks mail addresses and telephone numbers as people type them\n- Works without JavaScript\n- One shortcode: `[acme_form]`',
    packages: [wpForms.name],
    termMonths: 12,
    lapse: 'stop',
    refundWindowDays: 30,
    amountMinor: 5_900,
    daysAgo: 405,
  },
  {
    slug: 'laravel-invoices',
    name: 'Invoices for Laravel',
    summary: 'Numbered invoices and credit notes, right to the cent.',
    description:
      'Drafts, numbers without gaps, tax per line, reverse charge within the EU, and credit notes that take an invoice back line by line.\n\n```php\n$invoice->add(new Line("Consulting", 3, 12000, 19));\necho $invoice->totalMinor(); // 42840\n```',
    packages: [laravelInvoices.name],
    termMonths: null,
    lapse: 'keep-versions',
    refundWindowDays: 30,
    amountMinor: 19_900,
    daysAgo: 372,
  },
  {
    slug: 'agency-bundle',
    name: 'Agency Bundle',
    summary: 'All three modules, for one of your clients’ shops.',
    description:
      'Everything that Acme makes, for one shop and one year. Order as many as you have shops; each gets a credential of its own, so a client who leaves takes only theirs.',
    packages: [deliveryDates.name, wpForms.name, laravelInvoices.name],
    termMonths: 12,
    lapse: 'keep-versions',
    refundWindowDays: 14,
    amountMinor: 34_900,
    daysAgo: 368,
  },
];

export const PRODUCT_SLUGS = PLANS.map(({ slug }) => slug);

/** Publishes the modules with their history, and makes the products that open them. */
export async function fillCatalog(app: App): Promise<Map<Slug, Sold>> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-demo-'));
  try {
    for (const module of MODULES) await publishHistory(app, module, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const sold = new Map<Slug, Sold>();
  for (const plan of PLANS) sold.set(plan.slug, await offer(app, plan));
  return sold;
}

async function publishHistory(app: App, module: DemoModule, folder: string): Promise<void> {
  const now = app.clock.now();
  for (const { version, daysAgo, notes, withdrawn, files } of wholeReleases(module)) {
    const file = join(folder, `${module.name.replace('/', '-')}-${version}.zip`);
    await writeFile(file, await zipped(files, module.folder));
    const publishedAt = workday(now, daysAgo, 9, 40);
    const then = at(app, publishedAt);
    await publishArchive(then, { file, version, notes, by: { kind: 'cli' } });
    if (withdrawn) {
      const later = at(app, new Date(publishedAt.getTime() + 26 * HOUR));
      await withdrawRelease(later, { package: module.name, version, reason: withdrawn, by: { kind: 'cli' } });
    }
  }
}

/** The same bytes each time: the archives of a demo that was loaded before are found again. */
async function zipped(files: ReadonlyMap<string, string>, folder: string | null): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, text] of files) {
    zip.addBuffer(Buffer.from(text), folder ? `${folder}/${path}` : path, { mtime: new Date(2026, 0, 15) });
  }
  zip.end();
  return buffer(zip.outputStream);
}

async function offer(app: App, { amountMinor, daysAgo, ...plan }: Plan): Promise<Sold> {
  const price = { id: `price_demo_${plan.slug.replaceAll('-', '_')}`, amountMinor, currency: 'eur', active: true };
  // A real payment provider has no such price, so there nothing is for sale until the vendor links one.
  const known = isPretend(app.payments);
  if (isPretend(app.payments)) await app.payments.putPrice({ ...price, productName: plan.name });
  const product = await createProduct(at(app, workday(app.clock.now(), daysAgo, 10, 5)), {
    ...plan,
    prices: known ? [price] : [],
    listed: true,
    by: { kind: 'cli' },
  });
  return { product, stripePriceId: price.id, amountMinor };
}
