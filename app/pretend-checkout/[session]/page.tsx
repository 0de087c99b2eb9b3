import { FlaskConical } from 'lucide-react';
import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { describePretendCheckout } from '../../../lib/billing/pretend';
import { paths } from '../../../lib/paths';
import { theApp } from '../../_app';
import { ButtonLink } from '../../_ui/button';
import { Money } from '../../_ui/money';
import { Notice } from '../../_ui/notice';
import { Width } from '../../_ui/width';
import { PayForm } from './pay-form';

export const metadata: Metadata = { title: 'Pretend checkout', robots: { index: false } };

type Props = { params: Promise<{ session: string }> };

export default async function PretendCheckout({ params }: Props) {
  const checkout = await describePretendCheckout(await theApp(), (await params).session);
  if (!checkout) notFound();
  return (
    <Width is="reading" className="py-10 sm:py-16">
      <main id="content" className="overflow-hidden rounded border-2 border-warning border-dashed bg-raised">
        <p className="flex items-center gap-2 bg-warning-soft px-6 py-3 font-medium text-sm text-warning">
          <FlaskConical aria-hidden className="size-4 shrink-0" />
          Pretend checkout: no money moves
        </p>
        <div className="p-6">
          <h1 className="font-semibold text-xl tracking-tight">
            Pay <Money minor={checkout.amountMinor} currency={checkout.currency} />
          </h1>
          <p className="mt-2 text-ink-soft text-sm">
            This page stands in for the payment provider while no key for one is set. Paying sends the same signed
            notice that a real payment would.
          </p>
          <table className="mt-6 w-full text-sm tabular-nums">
            <caption className="sr-only">What is being bought</caption>
            <tbody className="divide-y border-y">
              {checkout.lines.map((line) => (
                <tr key={line.description}>
                  <th scope="row" className="py-3 pr-4 text-left font-normal">
                    {line.description}
                    {line.quantity > 1 && <span className="text-ink-soft"> × {line.quantity}</span>}
                  </th>
                  <td className="py-3 text-right align-top">
                    <Money minor={line.amountMinor} currency={checkout.currency} />
                  </td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr className="font-medium">
                <th scope="row" className="py-3 text-left font-medium">
                  Total
                </th>
                <td className="py-3 text-right">
                  <Money minor={checkout.amountMinor} currency={checkout.currency} />
                </td>
              </tr>
            </tfoot>
          </table>
          {checkout.status === 'open' && (
            <PayForm
              sessionId={checkout.sessionId}
              email={checkout.email ?? ''}
              cancelUrl={checkout.cancelUrl}
              amount={<Money minor={checkout.amountMinor} currency={checkout.currency} />}
            />
          )}
          {checkout.status === 'complete' && (
            <>
              <Notice tone="good" title="This order is paid" className="mt-4">
                Paying it again would change nothing.
              </Notice>
              <ButtonLink look="primary" href={checkout.returnUrl} className="mt-4">
                Go on to the thank-you page
              </ButtonLink>
            </>
          )}
          {checkout.status === 'expired' && (
            <>
              <Notice tone="ended" title="This checkout has expired" className="mt-4">
                Nothing was bought. Start again from the product.
              </Notice>
              <ButtonLink look="primary" href={paths.home()} className="mt-4">
                See all products
              </ButtonLink>
            </>
          )}
        </div>
      </main>
    </Width>
  );
}
