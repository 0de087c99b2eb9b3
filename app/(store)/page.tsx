import Link from 'next/link';
import { offers } from '../../lib/catalog/offers';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { Mono } from '../_ui/code-block';
import { EmptyState } from '../_ui/empty-state';
import { LinkPending } from '../_ui/link-pending';
import { Money } from '../_ui/money';
import { PageHeader } from '../_ui/page-header';

export default async function Store() {
  const products = await offers(await theApp());
  return (
    <>
      <PageHeader title="PHP modules, installed with Composer">
        Buy, paste one line, and run <Mono>composer require</Mono>. Your credential comes by mail at once.
      </PageHeader>
      {products.length === 0 ? (
        <EmptyState title="Nothing is for sale yet" className="mt-10">
          Products appear here once they are listed. If you already own a license, it is under “Your licenses”.
        </EmptyState>
      ) : (
        <ul className="mt-10 grid gap-4 sm:grid-cols-2">
          {products.map((product) => (
            <li
              key={product.id}
              className="relative flex flex-col gap-2 rounded border bg-raised p-5 outline-focus outline-offset-2 transition-colors hover:border-line-strong has-[:focus-visible]:outline-2"
            >
              <h2 className="font-semibold text-lg">
                {/* The whole card leads on, and is read as this one link. */}
                <Link href={paths.product(product.slug)} className="outline-none after:absolute after:inset-0">
                  {product.name}
                  <LinkPending />
                </Link>
              </h2>
              {product.summary && <p className="text-ink-soft">{product.summary}</p>}
              <ul className="text-ink-soft text-sm">
                {product.packages.map((each) => (
                  <li key={each.name}>
                    <Mono>
                      {each.name}
                      {each.latest && ` ${each.latest}`}
                    </Mono>
                  </li>
                ))}
              </ul>
              <p className="mt-auto pt-2 font-medium">
                {product.price ? (
                  <Money minor={product.price.amountMinor} currency={product.price.currency} />
                ) : (
                  <span className="font-normal text-ink-soft">
                    {product.forSale ? 'Price at checkout' : 'Not for sale at the moment'}
                  </span>
                )}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
