import { onTestFinished } from 'vitest';
import { stripePayments } from '../../lib/adapters/payments-stripe';
import { receiveNotice } from '../../lib/billing/inbox';
import { Secret } from '../../lib/kit/secret';
import { type Standing, standing } from '../../lib/licenses/license';
import { runDueJobs } from '../../lib/worker/run';
import { aStripe, type NewPrice, type SignedNotice, type StripeStandIn } from '../support/stripe-stand-in';
import { aTestApp, type TestApp } from '../support/test-app';

export interface Shop {
  app: TestApp;
  stripe: StripeStandIn;
  /** A product of ours, sold under a new Stripe price. */
  sells(slug: string, price?: Partial<NewPrice>): Promise<ReturnType<StripeStandIn['sells']>>;
  /** Stripe sends these, or everything it has to tell; then every due job runs. */
  hears(...notices: SignedNotice[]): Promise<void>;
  /** Every job that is due now runs. */
  works(): Promise<void>;
  state(): Promise<State>;
}

/** What the shop holds, in the words of the domain; equal states compare equal, whatever ids were drawn. */
export interface State {
  licenses: { product: string; unit: number | null; standing: Standing; credentials: number }[];
  /** Which products each credential opens, with the unit: `forms 1`. */
  credentials: string[][];
  mails: { kind: string; to: string }[];
  tasks: string[];
  purchases: { amountMinor: number; refundedMinor: number }[];
}

export async function aShop(): Promise<Shop> {
  const now = () => app.clock.now();
  const stripe = await aStripe({ now });
  onTestFinished(() => stripe.close());
  const app = await aTestApp({
    payments: stripePayments({
      secretKey: new Secret(stripe.secretKey),
      webhookSecret: new Secret(stripe.webhookSecret),
      apiBase: stripe.url,
    }),
    // What a mail says is another test's business; here it is left undelivered, so that its row can be read.
    mailer: { name: 'outbox', send: async () => ({ providerId: 'none' }) },
  });
  let products = 0;

  return {
    app,
    stripe,

    async sells(slug, price = {}) {
      const stripePrice = stripe.sells({ name: slug, amountMinor: 9_900, ...price });
      const at = app.clock.now();
      const number = ++products;
      await app.db.product.create({
        data: {
          id: `prd_${number}`,
          slug,
          name: slug,
          termMonths: 12,
          createdAt: at,
          changedAt: at,
          prices: { create: { id: `pri_${number}`, stripePriceId: stripePrice.id, createdAt: at } },
          packages: {
            create: {
              package: { create: { id: `pkg_${number}`, name: `acme/${slug}`, createdAt: at, changedAt: at } },
            },
          },
        },
      });
      return stripePrice;
    },

    async hears(...notices) {
      for (const { body, signature } of notices.length > 0 ? notices : stripe.notices.splice(0)) {
        await receiveNotice(app, body, signature);
      }
      await runDueJobs(app);
    },

    works: async () => void (await runDueJobs(app)),

    async state() {
      const [licenses, credentials, mails, tasks, purchases] = await Promise.all([
        app.db.license.findMany({ include: { product: true, _count: { select: { bindings: true } } } }),
        app.db.credential.findMany({ include: { bindings: { include: { license: { include: { product: true } } } } } }),
        app.db.mail.findMany(),
        app.db.staffTask.findMany({ where: { resolvedAt: null } }),
        app.db.purchase.findMany(),
      ]);
      return {
        licenses: sorted(
          licenses.map((license) => ({
            product: license.product.slug,
            unit: license.unit,
            standing: standing(license, app.clock.now()),
            credentials: license._count.bindings,
          })),
        ),
        credentials: sorted(
          credentials.map(({ bindings }) =>
            bindings.map(({ license }) => `${license.product.slug} ${license.unit}`).sort(),
          ),
        ),
        mails: sorted(mails.map(({ kind, to }) => ({ kind, to }))),
        tasks: tasks.map(({ kind }) => kind).sort(),
        purchases: sorted(purchases.map(({ amountMinor, refundedMinor }) => ({ amountMinor, refundedMinor }))),
      };
    },
  };
}

function sorted<T>(items: T[]): T[] {
  return items.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
