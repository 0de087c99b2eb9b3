import { findCredential } from '../lib/credentials/find';
import { lockName } from '../lib/db/locks';
import { open } from '../lib/kit/seal';
import { Secret } from '../lib/kit/secret';
import { readOutbox } from '../lib/mail/outbox';
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
 * Where there are products already nothing is done, and what there is to try is found again; null where the products are not the demo's.
 */
export async function loadDemo(app: App): Promise<DemoSummary | null> {
  if ((await app.db.product.count()) > 0) return remembered(app);
  const loaded = await app.db.$transaction(
    async (tx) => {
      await lockName(tx, 'demo');
      if ((await tx.product.count()) > 0) return false;
      await load(within(app, tx));
      return true;
    },
    { maxWait: 10_000, timeout: LOAD_MS_MAX },
  );
  app.commits.count += 1;
  const summary = await remembered(app);
  if (loaded) app.log.info('Loaded the demo vendor.', { products: PRODUCT_SLUGS.length });
  return summary;
}

async function load(app: App): Promise<void> {
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
  await app.db.setting.create({
    data: { name: SETTING, value: { credentialId: credential.id, mailId: mail.id }, changedAt: now },
  });
}

/** Which order of the demo is the one to try; its secret stands where its mail is, and nowhere else. */
const SETTING = 'demo';

async function remembered(app: App): Promise<DemoSummary | null> {
  const setting = await app.db.setting.findUnique({ where: { name: SETTING } });
  if (!setting) return null;
  const { credentialId, mailId } = setting.value as { credentialId: string; mailId: string };
  const known = await findCredential(app, credentialId);
  const secret = known?.standing === 'working' && known.opens ? await secretInMail(app, mailId, credentialId) : null;
  return {
    signIns: SIGN_INS,
    credential: known && secret ? { username: known.username, secret } : null,
    require: laravelInvoices.name,
    vendor: laravelInvoices.name.split('/')[0] ?? '',
    products: [...PRODUCT_SLUGS],
  };
}

/** Sealed while the mail waits, in the outbox once it is delivered; null where it went to a real mailbox. */
async function secretInMail(app: App, mailId: string, credentialId: string): Promise<Secret | null> {
  const mail = await app.db.mail.findUnique({ where: { id: mailId } });
  const sealed = mail?.sealed && open(app.keys, mail.sealed, mail.id);
  if (sealed) return new Secret((JSON.parse(sealed) as Record<string, string>)[credentialId] ?? '');
  const delivered = mail?.providerId ? await readOutbox(app, mail.providerId) : null;
  const [characters] = /lk_live_[0-9A-Za-z]{38}/.exec(delivered?.text ?? '') ?? [];
  return characters ? new Secret(characters) : null;
}
