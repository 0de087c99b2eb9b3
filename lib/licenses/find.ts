import type { License, Product } from '../db/generated/client';
import { addDays } from '../kit/clock';
import type { Needs } from '../ports/app';
import { type Standing, standing, standingSentence } from './license';

/** A license with what a page or a command says of it. */
export interface LicenseView {
  license: License;
  product: Pick<Product, 'id' | 'slug' | 'name' | 'refundWindowDays' | 'credentialsPerLicense'>;
  packages: string[];
  standing: Standing;
  sentence: string;
  purchase: { id: string; paidAt: Date; amountMinor: number; refundedMinor: number; currency: string } | null;
  /** Until when its customer may have the money back without asking; null once it is over, returned, or for gifts. */
  refundableUntil: Date | null;
}

const SHOWN = {
  product: { include: { packages: { include: { package: { select: { name: true } } } } } },
  purchaseLine: { include: { purchase: true } },
} as const;

/** A customer's licenses, newest first. */
export async function licensesOfCustomer(app: Needs<'db' | 'clock'>, customerId: string): Promise<LicenseView[]> {
  const rows = await app.db.license.findMany({
    where: { customerId },
    include: SHOWN,
    orderBy: [{ issuedAt: 'desc' }, { id: 'asc' }],
  });
  return rows.map((row) => view(row, app.clock.now()));
}

export async function findLicense(app: Needs<'db' | 'clock'>, id: string): Promise<LicenseView | null> {
  const row = await app.db.license.findUnique({ where: { id }, include: SHOWN });
  return row ? view(row, app.clock.now()) : null;
}

type Row = License & {
  product: Product & { packages: { package: { name: string } }[] };
  purchaseLine: { purchase: NonNullable<LicenseView['purchase']> } | null;
};

function view({ product, purchaseLine, ...license }: Row, at: Date): LicenseView {
  const standingNow = standing(license, at);
  const windowEnd = purchaseLine && addDays(purchaseLine.purchase.paidAt, product.refundWindowDays);
  const ended = standingNow === 'refunded' || standingNow === 'revoked';
  return {
    license,
    product,
    packages: product.packages.map((each) => each.package.name).sort(),
    standing: standingNow,
    sentence: standingSentence(license, at),
    purchase: purchaseLine?.purchase ?? null,
    refundableUntil: !ended && windowEnd && windowEnd > at ? windowEnd : null,
  };
}
