import type { Actor } from '../../lib/audit/events';
import { record } from '../../lib/audit/record';
import { mintSecrets } from '../../lib/credentials/issue';
import { rotateCredential } from '../../lib/credentials/rotate';
import type { License } from '../../lib/db/generated/client';
import { transact } from '../../lib/db/transact';
import { addMonths, MINUTE } from '../../lib/kit/clock';
import { newId } from '../../lib/kit/ids';
import { issueLicense } from '../../lib/licenses/issue';
import { revokeLicense } from '../../lib/licenses/revoke';
import type { App } from '../../lib/ports/app';
import type { Slug, Sold } from './catalog';
import { type Bought, buy, dispute, giveBack } from './orders';
import { at, workday } from './past';
import { addMember, admin } from './people';

type Catalog = ReadonlyMap<Slug, Sold>;

/** Every customer but the one with the ready-made credential: one for each standing, and some for whom all is well. */
export async function bringCustomers(app: App, sold: Catalog, owner: Actor): Promise<void> {
  const now = app.clock.now();
  const on = (days: number, hours: number, minutes = 0) => workday(now, days, hours, minutes);
  const order = (days: number, email: string, name: string, company: string, ...lines: [Slug, number][]) =>
    buy(app, sold, { at: on(days, 8 + (days % 9), days % 60), email, name, company, lines });

  await agency(app, order, on);

  await order(92, 'brew@demo.test', 'Ben Okafor', 'Hopfengarten Brewery', ['wp-forms', 1]);
  await order(61, 'museum@demo.test', 'Ines Duarte', 'Museum am Hafen', ['laravel-invoices', 1]);

  const lapsed = await order(410, 'bakery@demo.test', 'Lea Brandt', 'Backstube Brandt', ['delivery-dates', 1]);
  const stopped = await order(400, 'gym@demo.test', 'Tom Novak', 'Kraftraum Gym', ['wp-forms', 1]);
  for (const license of [...lapsed.licenses, ...stopped.licenses]) await noteLapse(app, license);

  const refunded = await order(25, 'toys@demo.test', 'Mia Larsen', 'Holzspielzeug Larsen', ['wp-forms', 1]);
  await giveBack(app, refunded, on(20, 15, 31));

  const disputed = await order(70, 'wine@demo.test', 'Paul Moreau', 'Cave Moreau', ['delivery-dates', 1]);
  await dispute(app, disputed, on(12, 7, 55));

  const resold = await order(140, 'books@demo.test', 'Karl Weiss', 'Weiss Books', ['laravel-invoices', 1]);
  for (const license of resold.licenses) {
    const reason = 'The credential was offered for sale in a forum.';
    await revokeLicense(at(app, on(15, 11, 12)), { licenseId: license.id, by: owner, reason });
  }

  const renewed = await order(418, 'garden@demo.test', 'Eva Lindqvist', 'Lindqvist Garden', ['delivery-dates', 1]);
  await renew(app, renewed);

  await importWithoutMail(app, sold, on(200, 13, 5));
}

/** Eleven licenses on nine credentials; one was replaced in a hurry, one gently. */
async function agency(
  app: App,
  order: (days: number, email: string, name: string, company: string, ...lines: [Slug, number][]) => Promise<Bought>,
  on: (days: number, hours: number, minutes?: number) => Date,
): Promise<void> {
  const buyer = ['agency@demo.test', 'Jana Richter', 'Pixelwerk Agency'] as const;
  const shops = await order(270, ...buyer, ['agency-bundle', 4]);
  await order(152, ...buyer, ['delivery-dates', 3], ['wp-forms', 2]);
  await order(41, ...buyer, ['laravel-invoices', 2]);
  const developer = await addMember(at(app, on(268, 9, 20)), {
    customerId: shops.customer.id,
    email: 'developer@demo.test',
    name: 'Deniz Kaya',
    role: 'developer',
  });

  const [, leaked, gentle] = shops.credentials;
  if (!leaked || !gentle) throw new Error('The agency of the demo lacks its credentials.');
  await rotateCredential(at(app, on(LEAK_DAYS_AGO - 1, 8, 47)), {
    credentialId: leaked.id,
    by: developer,
    overlapDays: 0,
  });
  const by = await admin(app, shops.customer.id);
  await rotateCredential(at(app, on(6, 14, 3)), { credentialId: gentle.id, by, overlapDays: 30 });
}

/** When a credential of the agency was used from everywhere; it was replaced on the next working day. */
export const LEAK_DAYS_AGO = 29;

/** What the daily look at ended terms writes. */
async function noteLapse(app: App, license: License): Promise<void> {
  if (!license.coveredUntil) return;
  const then = at(app, new Date(license.coveredUntil.getTime() + MINUTE));
  await transact(then, async (tx) => {
    const now = then.clock.now();
    await tx.license.update({ where: { id: license.id }, data: { lapseNotedAt: now, changedAt: now } });
    await record(then, tx, {
      action: 'license.lapsed',
      by: { kind: 'system' },
      customerId: license.customerId,
      licenseId: license.id,
      data: { coveredUntil: license.coveredUntil?.toISOString() ?? null, lapse: license.lapse },
    });
  });
}

/** Paid for another year in time; twelve months after its issue the credential got a successor, and both still work. */
async function renew(app: App, { licenses, credentials, customer }: Bought): Promise<void> {
  const [license] = licenses;
  const [credential] = credentials;
  if (!license?.coveredUntil || !credential) throw new Error('The demo has nothing to renew.');
  const coveredUntil = addMonths(license.coveredUntil, 12);
  const then = at(app, new Date(license.coveredUntil.getTime() - 90 * MINUTE));
  await transact(then, async (tx) => {
    await tx.license.update({ where: { id: license.id }, data: { coveredUntil, changedAt: then.clock.now() } });
    await record(then, tx, {
      action: 'license.renewed',
      by: { kind: 'stripe' },
      customerId: customer.id,
      licenseId: license.id,
      data: { coveredUntil: coveredUntil.toISOString() },
    });
  });
  await rotateCredential(at(app, license.coveredUntil), {
    credentialId: credential.id,
    by: { kind: 'system' },
    overlapDays: 90,
  });
}

/** Came over from htpasswd: nobody knows a mail address, and the username is the one that it always was. */
async function importWithoutMail(app: App, sold: Catalog, instant: Date): Promise<void> {
  const product = sold.get('delivery-dates')?.product;
  if (!product) throw new Error('The demo sells no delivery dates.');
  const then = at(app, instant);
  const [minted] = await mintSecrets(then, 1);
  if (!minted) throw new Error('No secret was made.');
  await transact(then, async (tx) => {
    const by = { kind: 'cli' } as const;
    const now = then.clock.now();
    const customer = await tx.customer.create({
      data: { id: newId('cus'), name: 'mueller-gmbh', notes: 'Imported from htpasswd.', createdAt: now },
    });
    await record(then, tx, { action: 'customer.created', by, customerId: customer.id });
    const license = await issueLicense(then, tx, { customerId: customer.id, product, origin: 'import', by });
    const credential = await tx.credential.create({
      data: {
        id: newId('crd'),
        customerId: customer.id,
        username: 'mueller-gmbh',
        secretHash: minted.hash,
        imported: true,
        label: 'htpasswd',
        issuedAt: now,
        changedAt: now,
        bindings: { create: [{ licenseId: license.id, boundAt: now }] },
      },
    });
    await record(then, tx, {
      action: 'credential.issued',
      by,
      customerId: customer.id,
      credentialId: credential.id,
      licenseId: license.id,
      data: { username: credential.username, licenses: [license.id], label: credential.label },
    });
  });
}
