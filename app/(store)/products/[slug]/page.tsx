import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { cache } from 'react';
import { type OfferedPackage, offerBySlug } from '../../../../lib/catalog/offers';
import { theApp } from '../../../_app';
import { Mono } from '../../../_ui/code-block';
import { MarkdownText } from '../../../_ui/markdown';
import { Money } from '../../../_ui/money';
import { Notice } from '../../../_ui/notice';
import { Day } from '../../../_ui/time';
import { BuyForm } from './buy-form';

type Props = { params: Promise<{ slug: string }> };

const productOf = cache(async (props: Props['params']) => offerBySlug(await theApp(), (await props).slug));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const product = await productOf(params);
  return product ? { title: product.name, description: product.summary ?? undefined } : {};
}

export default async function Product({ params }: Props) {
  const product = await productOf(params);
  if (!product) notFound();
  return (
    <div className="grid items-start gap-x-12 gap-y-10 lg:grid-cols-[minmax(0,1fr)_320px]">
      <header>
        <h1 className="font-semibold text-xl tracking-tight">{product.name}</h1>
        {product.summary && <p className="mt-2 text-ink-soft text-lg">{product.summary}</p>}
      </header>

      {product.forSale ? (
        <section aria-labelledby="buy" className="rounded border bg-raised p-5 lg:sticky lg:top-6 lg:row-span-2">
          <h2 id="buy" className="sr-only">
            Buy
          </h2>
          {product.price ? (
            <p className="font-semibold text-xl">
              <Money minor={product.price.amountMinor} currency={product.price.currency} />
            </p>
          ) : (
            <p className="font-medium">The price is shown before you pay.</p>
          )}
          <p className="mt-3 text-sm">{product.term}</p>
          <p className="mt-1 text-ink-soft text-sm">{product.refund}</p>
          <BuyForm slug={product.slug} />
        </section>
      ) : (
        <Notice title="Not for sale at the moment" className="lg:row-span-2">
          This product has no price here now. If you own a license, it goes on working: nothing changes for you.
        </Notice>
      )}

      <div className="flex max-w-[680px] flex-col gap-10">
        {product.description && (
          <section aria-label="Description">
            <MarkdownText text={product.description} />
          </section>
        )}
        {product.packages.map((each) => (
          <PackageFacts key={each.name} facts={each} described={each.description !== product.summary} />
        ))}
      </div>
    </div>
  );
}

function PackageFacts({ facts, described }: { facts: OfferedPackage; described: boolean }) {
  return (
    <section aria-labelledby={facts.name} className="flex flex-col gap-4">
      <div>
        <h2 id={facts.name} className="font-medium text-lg">
          <Mono>{facts.name}</Mono>
        </h2>
        {described && facts.description && <p className="mt-1 text-ink-soft text-sm">{facts.description}</p>}
      </div>
      {facts.requires.length > 0 && (
        <dl
          aria-label={`What ${facts.name} requires`}
          className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-6 gap-y-1 text-sm"
        >
          {facts.requires.map(({ name, constraint }) => (
            <div key={name} className="contents">
              <dt className="text-ink-soft">
                <Mono>{name}</Mono>
              </dt>
              <dd>
                <Mono>{constraint}</Mono>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {facts.releases.length === 0 ? (
        <p className="text-ink-soft text-sm">Nothing is released yet. You will be able to install the first release.</p>
      ) : (
        <ol aria-label={`Releases of ${facts.name}`} className="divide-y border-y text-sm">
          {facts.releases.map((release) => (
            <li key={release.version} className="grid grid-cols-[5rem_minmax(0,1fr)] gap-x-4 py-3">
              <Mono className="break-normal font-medium">{release.version}</Mono>
              <div>
                <Day at={release.publishedAt} className="text-ink-soft" />
                {release.notes && <p className="mt-1 whitespace-pre-line">{release.notes}</p>}
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
