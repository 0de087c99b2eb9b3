import type { Prisma } from '../db/generated/client';
import type { Needs } from '../ports/app';
import { compareVersions } from './versions';

/** A product as its buyers see it. */
export interface Offer {
  id: string;
  slug: string;
  name: string;
  summary: string | null;
  description: string | null;
  /** Whether it can be bought here now. */
  forSale: boolean;
  /** Null also where only the payment provider knows it so far. */
  price: { amountMinor: number; currency: string } | null;
  /** What one payment gives, in a sentence or two. */
  term: string;
  refund: string;
  packages: OfferedPackage[];
}

export interface OfferedPackage {
  name: string;
  type: string | null;
  description: string | null;
  /** The newest stable version, else the newest of any stability; null before the first release. */
  latest: string | null;
  /** What that release needs of the machine and its platform: `php` → `>=8.1`. */
  requires: { name: string; constraint: string }[];
  /** Newest first, at most `releasesShown`; none that was withdrawn. */
  releases: { version: string; publishedAt: Date; notes: string | null }[];
}

const releasesShown = 20;

const shown = {
  prices: {
    where: { active: true },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
  },
  packages: {
    orderBy: { package: { name: 'asc' } },
    select: {
      package: {
        select: {
          name: true,
          type: true,
          description: true,
          releases: {
            where: { withdrawnAt: null, stability: { not: 'dev' } },
            // By date here, by version below: an old line's fix may be published after a new line's release.
            orderBy: { publishedAt: 'desc' },
            take: releasesShown,
            select: {
              version: true,
              versionNormalized: true,
              stability: true,
              publishedAt: true,
              notes: true,
              metadata: true,
            },
          },
        },
      },
    },
  },
} satisfies Prisma.ProductInclude;

type Row = Prisma.ProductGetPayload<{ include: typeof shown }>;

/** What is listed, by name. */
export async function offers(app: Needs<'db'>): Promise<Offer[]> {
  const rows = await app.db.product.findMany({
    where: { listed: true, archivedAt: null },
    orderBy: { name: 'asc' },
    include: shown,
  });
  return rows.map(offer);
}

/** One product, listed or not: an unlisted one is sold to whoever has its link. Null for any other slug. */
export async function offerBySlug(app: Needs<'db'>, slug: string): Promise<Offer | null> {
  const row = await app.db.product.findFirst({ where: { slug, archivedAt: null }, include: shown });
  return row ? offer(row) : null;
}

function offer(row: Row): Offer {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    summary: row.summary,
    description: row.description,
    forSale: row.prices.length > 0,
    price: newestKnownPrice(row.prices),
    term: termSentence(row.termMonths, row.lapse),
    refund: refundSentence(row.refundWindowDays),
    packages: row.packages.map(({ package: each }) => {
      const releases = [...each.releases].sort((a, b) => compareVersions(b.versionNormalized, a.versionNormalized));
      const latest = releases.find((release) => release.stability === 'stable') ?? releases[0];
      return {
        name: each.name,
        type: each.type,
        description: each.description,
        latest: latest?.version ?? null,
        requires: platformNeeds(latest?.metadata),
        releases: releases.map(({ version, publishedAt, notes }) => ({ version, publishedAt, notes })),
      };
    }),
  };
}

/** The price that a checkout opened now would charge. */
function newestKnownPrice(prices: Row['prices']): Offer['price'] {
  for (const { amountMinor, currency } of prices) {
    if (amountMinor !== null && currency !== null) return { amountMinor, currency };
  }
  return null;
}

/** What a license gives in time. `months` null means perpetual; `lapse` is what remains after the term. */
export function termSentence(months: number | null, lapse: string): string {
  if (months === null) return 'All updates, without an end.';
  const term = months === 1 ? '1 month' : `${months} months`;
  return lapse === 'stop'
    ? `Installs and updates for ${term}. Renew to go on installing after that.`
    : `${term} of updates. Versions released in that time stay installable for ever.`;
}

export function refundSentence(windowDays: number): string {
  if (windowDays === 0) return 'For a refund, write to us.';
  return `Refund within ${windowDays === 1 ? '1 day' : `${windowDays} days`}, in two clicks.`;
}

/** The platforms that a buyer asks about first: the language, its extensions, and the system it is a module of. */
const PLATFORMS =
  /^(php|ext-[a-z0-9_-]+|magento\/(framework|product-.*-edition)|laravel\/framework|illuminate\/support|johnpbloch\/wordpress.*|roots\/wordpress)$/;

function platformNeeds(metadata: Prisma.JsonValue | undefined): { name: string; constraint: string }[] {
  const links = isObject(metadata) && isObject(metadata.require) ? metadata.require : {};
  return Object.entries(links)
    .filter((link): link is [string, string] => typeof link[1] === 'string' && PLATFORMS.test(link[0]))
    .map(([name, constraint]) => ({ name, constraint }));
}

function isObject(value: Prisma.JsonValue | undefined): value is Prisma.JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
