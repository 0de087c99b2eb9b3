import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCredential } from '../lib/credentials/find';
import { lockName } from '../lib/db/locks';
import { errorCode } from '../lib/kit/errors';
import { randomLower } from '../lib/kit/ids';
import { open } from '../lib/kit/seal';
import { Secret } from '../lib/kit/secret';
import type { App } from '../lib/ports/app';
import { fillCatalog, PRODUCT_SLUGS } from './scenes/catalog';
import { bringCustomers } from './scenes/customers';
import { laravelInvoices } from './scenes/modules/laravel-invoices';
import { buy } from './scenes/orders';
import { at, within, workday } from './scenes/past';
import { hireStaff, SIGN_INS } from './scenes/people';
import { pretendUsage } from './scenes/usage';

/** What there is to try, for the lines that are printed at each start. */
export interface DemoSummary {
  /** Whoever asks for a link finds it in the outbox. */
  signIns: { email: string; role: string }[];
  /** Opens `require`; null once it was replaced, refunded or revoked. */
  credential: { username: string; secret: Secret } | null;
  /** The package to begin with. */
  require: string;
  /** The first half of every package's name. */
  vendor: string;
  /** Slugs of what the shop window shows. */
  products: string[];
}

/** Longer than loading takes on a slow machine; nothing else uses an empty database meanwhile. */
const LOAD_MS_MAX = 180_000;

/**
 * Loads the demo vendor into an empty database: three modules with their releases, customers in every standing, and six
 * weeks of audit history. All in one transaction: it is there wholly or not at all. Mails of the past are marked as sent;
 * only the order of today, which made the ready-made credential, is mailed.
 *
 * Where there are products already nothing is done, and what there is to try is read from the data folder, where the
 * first start left it; null where the products are not the demo's.
 */
export async function loadDemo(app: App): Promise<DemoSummary | null> {
  if ((await app.db.product.count()) > 0) return remembered(app);
  const loaded = await app.db.$transaction(
    async (tx) => {
      await lockName(tx, 'demo');
      if ((await tx.product.count()) > 0) return false;
      const credential = await load(within(app, tx));
      // Before the commit: a demo whose credential nobody was told would be of no use, the file alone does no harm.
      await remember(app, credential);
      return true;
    },
    { maxWait: 10_000, timeout: LOAD_MS_MAX },
  );
  app.commits.count += 1;
  const summary = await remembered(app);
  if (loaded) app.log.info('Loaded the demo vendor.', { products: PRODUCT_SLUGS.length });
  return summary;
}

interface ReadyMade {
  credentialId: string;
  username: string;
  secret: Secret;
}

async function load(app: App): Promise<ReadyMade> {
  const now = app.clock.now();
  const owner = await hireStaff(at(app, workday(now, 430, 8, 0)));
  const sold = await fillCatalog(app);
  await bringCustomers(app, sold, owner);
  await pretendUsage(app);
  // Those to customers are all the demo's; an invitation of somebody's own may wait beside them.
  await app.db.$executeRaw`
    update mails set sent_at = created_at, sealed = null, attempts = 1 where sent_at is null and customer_id is not null`;

  const bought = await buy(app, sold, {
    at: now,
    email: 'shop@demo.test',
    name: 'Nora Petersen',
    company: 'Nordlicht Shop',
    lines: [['laravel-invoices', 1]],
  });
  const [credential] = bought.credentials;
  if (!credential) throw new Error('The demo order made no credential.');
  const mail = await app.db.mail.findFirstOrThrow({ where: { customerId: bought.customer.id, sentAt: null } });
  const secrets = mail.sealed && open(app.keys, mail.sealed, mail.id);
  const secret = secrets && (JSON.parse(secrets) as Record<string, string>)[credential.id];
  if (!secret) throw new Error('The mail of the demo order holds no secret.');
  return { credentialId: credential.id, username: credential.username, secret: new Secret(secret) };
}

/** Readable by its owner only, as the outbox, which holds the same secret. */
async function remember(app: App, { credentialId, username, secret }: ReadyMade): Promise<void> {
  const file = fileOf(app);
  const draft = `${file}.${randomLower(8)}`;
  const text = JSON.stringify({ credentialId, username, secret: secret.reveal() }, null, 2);
  await writeFile(draft, `${text}\n`, { mode: 0o600 });
  await rename(draft, file);
}

async function remembered(app: App): Promise<DemoSummary | null> {
  const text = await readIfThere(fileOf(app));
  if (text === null) return null;
  const { credentialId, username, secret } = JSON.parse(text) as Record<string, string>;
  const known = credentialId && username && secret ? await findCredential(app, credentialId) : null;
  // Another database than the one that was loaded.
  if (!known || !username || !secret) return null;
  const works = known.standing === 'working' && known.opens;
  return {
    signIns: SIGN_INS,
    credential: works ? { username, secret: new Secret(secret) } : null,
    require: laravelInvoices.name,
    vendor: laravelInvoices.name.split('/')[0] ?? '',
    products: [...PRODUCT_SLUGS],
  };
}

function fileOf(app: App): string {
  return join(app.env.dataFolder, 'demo.json');
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
