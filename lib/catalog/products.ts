import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import type { Product } from '../db/generated/client';
import { lockName } from '../db/locks';
import { transact } from '../db/transact';
import { DomainError } from '../kit/errors';
import { newId } from '../kit/ids';
import type { App, Needs } from '../ports/app';
import type { PaymentPrice } from '../ports/payments';
import { shown } from './archive';
import { type PackageName, parsePackageName } from './names';
import { lockPackages } from './packages';

export type { Product };

export type ProductFault =
  | 'slug-invalid'
  | 'slug-taken'
  | 'product-name-invalid'
  | 'package-name-missing'
  | 'package-name-invalid'
  | 'term-invalid'
  | 'lapse-invalid'
  | 'refund-window-invalid'
  | 'price-invalid'
  | 'price-taken';

/** The product cannot be made like this; nothing was. */
export class ProductRefused extends DomainError {
  declare readonly code: ProductFault;

  constructor(code: ProductFault, message: string) {
    super(code, message);
    this.name = 'ProductRefused';
  }
}

const slugCharactersMax = 48;
const nameCharactersMax = 120;
const termMonthsMax = 120;
const refundWindowDaysMax = 90;

/** A price as the payment provider knows it; only the id is needed, the rest is for the shop window. */
export type ProductPrice = Pick<PaymentPrice, 'id'> &
  Partial<Pick<PaymentPrice, 'amountMinor' | 'currency' | 'active'>>;

export interface NewProduct {
  /** `[a-z0-9]+(-[a-z0-9]+)*`, at most 48 characters; stands in URLs and usernames. */
  slug: string;
  name: string;
  /** Composer names; those that have no release yet are claimed by this. */
  packages: readonly string[];
  /** Null means perpetual. */
  termMonths: number | null;
  /** What remains after the term; any text is taken and checked, since it comes from a command line. */
  lapse: string;
  /** Read from the provider before, so that no network is asked here. */
  prices: readonly ProductPrice[];
  listed: boolean;
  /** 30, if not given. */
  refundWindowDays?: number;
  summary?: string | null;
  /** Markdown. */
  description?: string | null;
  by: Actor;
}

/**
 * Makes a product that opens these packages. Packages that do not exist yet are made, without a release.
 *
 * @throws {ProductRefused}
 */
export async function createProduct(
  app: Needs<'db' | 'clock' | 'env' | 'keys'> & Partial<Pick<App, 'commits'>>,
  wanted: NewProduct,
): Promise<Product> {
  const { slug, prices, by } = wanted;
  const name = wanted.name.trim();
  const packageNames = readPackageNames(wanted.packages);
  checkForm(wanted, name);

  return transact(app, async (tx) => {
    // Products are made by hand, one at a time: so slug and prices cannot be taken between the look and the write.
    await lockName(tx, 'products');
    if (await tx.product.findUnique({ where: { slug }, select: { id: true } })) {
      throw new ProductRefused('slug-taken', `There is a product "${slug}" already. Choose another slug.`);
    }
    await refuseTakenPrices(tx, prices);
    const packages = await lockPackages(app, tx, packageNames, by);

    const now = app.clock.now();
    const product = await tx.product.create({
      data: {
        id: newId('prd'),
        slug,
        name,
        summary: wanted.summary ?? null,
        description: wanted.description ?? null,
        termMonths: wanted.termMonths,
        lapse: wanted.lapse,
        refundWindowDays: wanted.refundWindowDays,
        listed: wanted.listed,
        createdAt: now,
        changedAt: now,
        prices: {
          create: prices.map(({ id, amountMinor = null, currency = null, active = true }) => ({
            id: newId('pri'),
            stripePriceId: id,
            amountMinor,
            currency,
            active,
            createdAt: now,
          })),
        },
        packages: { create: packages.map((each) => ({ packageId: each.id })) },
      },
    });
    await record(app, tx, {
      action: 'product.created',
      by,
      data: {
        product: product.id,
        slug,
        packages: packageNames,
        termMonths: product.termMonths,
        lapse: product.lapse,
        prices: prices.map(({ id }) => id),
      },
    });
    return product;
  });
}

/** By slug, with the names of the packages that it opens, sorted; null where there is none. */
export async function findProduct(
  app: Needs<'db'>,
  slug: string,
): Promise<(Product & { packageNames: string[] }) | null> {
  const found = await app.db.product.findUnique({
    where: { slug },
    include: { packages: { include: { package: { select: { name: true } } } } },
  });
  if (!found) return null;
  const { packages, ...product } = found;
  return { ...product, packageNames: packages.map((each) => each.package.name).sort() };
}

function readPackageNames(texts: readonly string[]): PackageName[] {
  const names = texts.map((text) => {
    const name = parsePackageName(text);
    if (name) return name;
    throw new ProductRefused(
      'package-name-invalid',
      `${shown(text)} is no package name; write vendor/name in lower case.`,
    );
  });
  if (names.length === 0) {
    throw new ProductRefused('package-name-missing', 'A product opens at least one package; name it (vendor/name).');
  }
  return [...new Set(names)];
}

function checkForm({ slug, termMonths, lapse, refundWindowDays, prices }: NewProduct, name: string): void {
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(slug) || slug.length > slugCharactersMax) {
    throw new ProductRefused(
      'slug-invalid',
      `${shown(slug)} is no slug: use lower-case words and digits joined by single dashes, at most ${slugCharactersMax} characters.`,
    );
  }
  if (name === '' || name.length > nameCharactersMax || /[\p{Cc}\p{Cs}]/u.test(name)) {
    throw new ProductRefused(
      'product-name-invalid',
      `A product's name is one line of 1 to ${nameCharactersMax} characters.`,
    );
  }
  if (termMonths !== null && !isWithin(termMonths, 1, termMonthsMax)) {
    throw new ProductRefused(
      'term-invalid',
      `A term lasts from 1 to ${termMonthsMax} whole months, or is perpetual; ${termMonths} is not possible.`,
    );
  }
  if (lapse !== 'keep-versions' && lapse !== 'stop') {
    throw new ProductRefused(
      'lapse-invalid',
      `After the term, licenses either keep-versions or stop; ${shown(lapse)} is not known.`,
    );
  }
  if (refundWindowDays !== undefined && !isWithin(refundWindowDays, 0, refundWindowDaysMax)) {
    throw new ProductRefused(
      'refund-window-invalid',
      `A refund window lasts from 0 to ${refundWindowDaysMax} whole days; ${refundWindowDays} is not possible.`,
    );
  }
  for (const { id } of prices) {
    if (!/^[\x21-\x7e]{1,255}$/.test(id)) {
      throw new ProductRefused('price-invalid', `${shown(id)} is no id of a Stripe price; those begin with price_.`);
    }
  }
}

async function refuseTakenPrices(tx: Tx, prices: readonly ProductPrice[]): Promise<void> {
  const ids = prices.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice) throw new ProductRefused('price-taken', `The price ${twice} is named twice.`);
  const taken = await tx.price.findFirst({ where: { stripePriceId: { in: ids } }, include: { product: true } });
  if (taken) {
    throw new ProductRefused(
      'price-taken',
      `The price ${taken.stripePriceId} sells "${taken.product.slug}" already; a price sells one product.`,
    );
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
