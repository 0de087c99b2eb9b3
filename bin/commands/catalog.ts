import { isPretend } from '../../lib/billing/pretend';
import { createProduct, type ProductPrice } from '../../lib/catalog/products';
import { publishArchive } from '../../lib/catalog/publish';
import { errorCode } from '../../lib/kit/errors';
import { type App, BY_CLI, type Command, operand, required, WrongUsage, wholeNumber } from './command';

export const catalogCommands: Command[] = [
  {
    words: 'product create',
    usage:
      '--slug SLUG --name NAME --package VENDOR/NAME [--package …] [--months N|--perpetual] [--lapse keep-versions|stop] [--price PRICE_ID …] [--unlisted]',
    options: {
      slug: { type: 'string' },
      name: { type: 'string' },
      package: { type: 'string', multiple: true },
      months: { type: 'string' },
      perpetual: { type: 'boolean' },
      lapse: { type: 'string' },
      price: { type: 'string', multiple: true },
      summary: { type: 'string' },
      unlisted: { type: 'boolean' },
    },
    async run(app, args) {
      const months = args.text('months');
      if (months !== null && args.has('perpetual'))
        throw new WrongUsage('--months and --perpetual exclude each other.');
      const lapse = args.text('lapse') ?? 'keep-versions';
      if (lapse !== 'keep-versions' && lapse !== 'stop') throw new WrongUsage('--lapse is keep-versions or stop.');
      const product = await createProduct(app, {
        slug: required(args, 'slug'),
        name: required(args, 'name'),
        packages: args.texts('package'),
        termMonths: args.has('perpetual') ? null : wholeNumber(months ?? '12', 'months'),
        lapse,
        prices: await pricesOf(app, args.texts('price'), required(args, 'name')),
        summary: args.text('summary'),
        listed: !args.has('unlisted'),
        by: BY_CLI,
      });
      return {
        json: { product: { id: product.id, slug: product.slug } },
        text: `Created the product ${product.slug} (${product.id}).`,
      };
    },
  },
  {
    words: 'package publish',
    usage: 'FILE.zip [--name VENDOR/NAME] [--version VERSION] [--notes TEXT]',
    options: { name: { type: 'string' }, version: { type: 'string' }, notes: { type: 'string' } },
    async run(app, args) {
      const published = await publishArchive(app, {
        file: operand(args, 0, 'FILE.zip'),
        name: args.text('name') ?? undefined,
        version: args.text('version') ?? undefined,
        notes: args.text('notes') ?? undefined,
        by: BY_CLI,
      });
      const { package: name, version, shasum, archiveBytes } = published;
      return {
        json: { package: name, version, shasum, archiveBytes },
        text: `Published ${name} ${version} (${archiveBytes} bytes, SHA-1 ${shasum}).`,
      };
    },
  },
];

/** A price of the pretend checkout that nobody has set up: one that looks like a price. */
const PRETEND_PRICE = { amountMinor: 4_900, currency: 'eur', active: true } as const;

/**
 * What the provider says of the prices, read before anything is written; the shop window shows it. One that Stripe does
 * not know yet, or cannot tell of now, is taken at the vendor's word: orders are matched by its id.
 */
async function pricesOf(app: App, ids: string[], productName: string): Promise<ProductPrice[]> {
  const { payments } = app;
  return Promise.all(
    ids.map(async (id) => {
      if (isPretend(payments)) {
        const price = (await payments.price(id)) ?? { id, productName, ...PRETEND_PRICE };
        await payments.putPrice(price);
        return price;
      }
      const price = await readPrice(app, id);
      if (!price)
        app.log.warn(`Stripe tells nothing of ${id}; until it does, the storefront cannot sell by it.`, { id });
      return price ?? { id };
    }),
  );
}

async function readPrice(app: App, id: string): Promise<ProductPrice | null> {
  try {
    return await app.payments.price(id);
  } catch (error) {
    if (errorCode(error) !== 'payments-away') throw error;
    return null;
  }
}
