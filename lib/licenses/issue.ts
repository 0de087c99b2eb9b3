import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { License, Product } from '../db/generated/client';
import { addMonths } from '../kit/clock';
import { newId } from '../kit/ids';
import type { Needs } from '../ports/app';

export interface LicenseOrder {
  customerId: string;
  product: Pick<Product, 'id' | 'slug' | 'termMonths' | 'lapse'>;
  origin: 'purchase' | 'staff' | 'import';
  by: Actor;
  purchaseLineId?: string;
  /** Unit within the line, from 1. */
  unit?: number;
  /** When the term begins; now, unless it was bought earlier than it is settled. */
  issuedAt?: Date;
}

/**
 * Makes one license in the caller's transaction. The same (line, unit) asked twice gives the license of the first time.
 */
export async function issueLicense(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  order: LicenseOrder,
): Promise<License> {
  const { customerId, product, origin, by, purchaseLineId = null, unit = null } = order;
  if (purchaseLineId !== null && unit !== null) {
    const issued = await tx.license.findUnique({ where: { purchaseLineId_unit: { purchaseLineId, unit } } });
    if (issued) return issued;
  }
  const now = app.clock.now();
  const issuedAt = order.issuedAt ?? now;
  const license = await tx.license.create({
    data: {
      id: newId('lic'),
      customerId,
      productId: product.id,
      origin,
      purchaseLineId,
      unit,
      issuedAt,
      coveredUntil: product.termMonths === null ? null : addMonths(issuedAt, product.termMonths),
      lapse: product.lapse,
      changedAt: now,
    },
  });
  await record(app, tx, {
    action: 'license.issued',
    by,
    customerId,
    licenseId: license.id,
    data: { product: product.slug, origin, coveredUntil: license.coveredUntil?.toISOString() ?? null },
  });
  return license;
}
