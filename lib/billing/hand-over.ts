import { workingCredential } from '../credentials/find';
import { issueCredential, type MintedSecret } from '../credentials/issue';
import type { Tx } from '../db/client';
import type { Customer, License } from '../db/generated/client';
import type { Secret } from '../kit/secret';
import { standingSentence } from '../licenses/license';
import { sendLater } from '../mail/deliver';
import type { NewCredentialLine } from '../mail/messages';
import type { Needs } from '../ports/app';

interface HandOver {
  customer: Customer;
  purchaseId: string;
  licenses: readonly License[];
  minted: readonly MintedSecret[];
}

/** How many credentials these licenses are handed over with: one per unit, so one per shop. */
export function credentialsFor(licenses: readonly Pick<License, 'unit'>[]): number {
  return byUnit(licenses).length;
}

/** All first units, then all second ones, … */
function byUnit<L extends Pick<License, 'unit'>>(licenses: readonly L[]): L[][] {
  const units = [...new Set(licenses.map((license) => license.unit ?? 1))].sort((a, b) => a - b);
  return units.map((unit) => licenses.filter((license) => (license.unit ?? 1) === unit));
}

/**
 * Gives a buyer the means to install: the k-th credential opens the k-th unit of every line, and one mail tells of all.
 *
 * @param order.minted at least `credentialsFor(licenses)` secrets, made before the transaction
 */
export async function handOver(app: Needs<'clock' | 'env' | 'keys'>, tx: Tx, order: HandOver): Promise<void> {
  const { customer, purchaseId, licenses, minted } = order;
  const [first] = licenses;
  if (!first) return;
  const bindTo = await workingCredential(app, tx, customer.id);
  const products = await productsOf(tx, licenses);
  const units = byUnit(licenses);

  const lines: NewCredentialLine[] = [];
  const secrets: Record<string, Secret> = {};
  for (const [place, unit] of units.entries()) {
    const secret = minted[place];
    const product = products.get(unit[0]?.productId ?? '');
    if (!secret || !product)
      throw new Error(`Order ${purchaseId} lacks a secret or a product for its unit ${place + 1}.`);
    const credential = await issueCredential(app, tx, secret, {
      customerId: customer.id,
      licenseIds: unit.map((license) => license.id),
      productSlug: product.slug,
      label: units.length > 1 ? `${place + 1} of ${units.length}` : null,
      by: { kind: 'stripe' },
    });
    secrets[credential.id] = secret.secret;
    lines.push({
      credentialId: credential.id,
      username: credential.username,
      licenseIds: unit.map((license) => license.id),
      label: credential.label,
    });
  }
  if (!customer.email) return;
  await sendLater(app, tx, {
    kind: 'license-issued',
    to: customer.email,
    customerId: customer.id,
    dedupeKey: `${purchaseId}:${first.id}`,
    props: {
      because: 'purchase',
      licenses: licenses.map((license) => ({
        licenseId: license.id,
        productName: products.get(license.productId)?.name ?? '',
        standing: standingSentence(license, app.clock.now()),
        packages: products.get(license.productId)?.packages ?? [],
      })),
      credentials: lines,
      bindTo,
    },
    secrets,
  });
}

interface SoldProduct {
  slug: string;
  name: string;
  packages: string[];
}

export async function productsOf(tx: Tx, licenses: readonly License[]): Promise<Map<string, SoldProduct>> {
  const products = await tx.product.findMany({
    where: { id: { in: licenses.map((license) => license.productId) } },
    include: { packages: { include: { package: { select: { name: true } } } } },
  });
  return new Map(
    products.map(({ id, slug, name, packages }) => [
      id,
      { slug, name, packages: packages.map((each) => each.package.name).sort() },
    ]),
  );
}
