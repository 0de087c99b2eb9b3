import { join } from 'node:path';
import { diskArchive } from '../../lib/adapters/archive-disk';
import { createProduct } from '../../lib/catalog/products';
import { publishArchive } from '../../lib/catalog/publish';
import { handOutLicense } from '../../lib/credentials/hand-out';
import { aTestApp, type TestApp } from './test-app';
import { aZip } from './zips';

type World = Parameters<typeof aTestApp>[0];

/** A vendor with a disk store: the start of most stories. */
export async function aVendor(world: World = {}): Promise<TestApp> {
  const app = await aTestApp(world);
  if (!world?.archive) app.archive = diskArchive(join(app.dataFolder, 'archives'));
  return app;
}

interface Offer {
  slug?: string;
  packages?: string[];
  termMonths?: number | null;
  lapse?: 'keep-versions' | 'stop';
}

export async function aProduct(
  app: TestApp,
  { slug = 'forms', packages = ['acme/forms'], termMonths = 12, lapse = 'keep-versions' }: Offer = {},
) {
  return createProduct(app, {
    slug,
    name: `${slug} module`,
    packages,
    termMonths,
    lapse,
    prices: [],
    listed: true,
    by: { kind: 'cli' },
  });
}

export async function aRelease(app: TestApp, name = 'acme/forms', version = '1.0.0') {
  return publishArchive(app, { file: await aZip({ name, version }), by: { kind: 'cli' } });
}

/** A customer with one license and its credential, without mail. */
export async function aHolder(app: TestApp, productSlug = 'forms', email = 'shop@example.test') {
  const { license, credential, secret } = await handOutLicense(app, {
    email,
    productSlug,
    mail: false,
    by: { kind: 'cli' },
  });
  return { license, credential, auth: { username: credential.username, secret: secret.reveal() } };
}
