import type { Metadata } from 'next';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { maskedEmail, type OrderStatus, orderStatus } from '../../../lib/billing/order-status';
import { installLines } from '../../../lib/mail/install-lines';
import { hasOutbox } from '../../../lib/mail/outbox';
import { paths } from '../../../lib/paths';
import { theApp } from '../../_app';
import { ButtonLink } from '../../_ui/button';
import { CodeBlock, Mono } from '../../_ui/code-block';
import { Notice } from '../../_ui/notice';
import { PageHeader } from '../../_ui/page-header';
import { currentViewer } from '../../_viewer';
import { AwaitSettlement } from './await-settlement';

export const metadata: Metadata = { title: 'Thank you', robots: { index: false }, referrer: 'no-referrer' };

type Props = { searchParams: Promise<{ session_id?: string | string[] }> };

export default async function ThankYou({ searchParams }: Props) {
  const app = await theApp();
  const asked = (await searchParams).session_id;
  const sessionId = typeof asked === 'string' ? asked : '';
  const order: OrderStatus = sessionId ? await orderStatus(app, sessionId) : { state: 'unknown' };
  const packages = order.state === 'settled' || order.state === 'confirming' ? order.packages : [];
  const here = paths.checkoutDone(sessionId);

  return (
    <div className="mx-auto max-w-[680px]">
      {order.state === 'unknown' && (
        <>
          <PageHeader title="We know no such order">
            The address may be cut short. If you have paid, your credential comes by mail whether this page is open or
            not.
          </PageHeader>
          <div className="mt-6 flex flex-wrap gap-3">
            <ButtonLink href={paths.dashboard()} look="primary">
              Find your licenses
            </ButtonLink>
            <ButtonLink href={paths.home()}>See all products</ButtonLink>
          </div>
        </>
      )}
      {order.state === 'unpaid' && (
        <>
          <PageHeader title={order.expired ? 'This payment was not finished in time' : 'This payment is not finished'}>
            Nothing was charged and no license was made.
          </PageHeader>
          <div className="mt-6 flex flex-wrap gap-3">
            <ButtonLink href={paths.home()} look="primary">
              Back to the products
            </ButtonLink>
            {!order.expired && <ButtonLink href={here}>Look again</ButtonLink>}
          </div>
        </>
      )}
      {order.state === 'confirming' && (
        <>
          <PageHeader title="Thank you">
            Your payment is being confirmed. Your credential comes by mail as soon as it is, usually within seconds.
          </PageHeader>
          <AwaitSettlement sessionId={sessionId} again={here} />
          <Steps appUrl={app.env.appUrl} packages={packages} />
        </>
      )}
      {order.state === 'settled' && (
        <>
          <PageHeader title="Thank you">{boughtSentence(order.licenses.map((each) => each.productName))}</PageHeader>
          <SettledNotice order={order} address={await addressFor(order)} outbox={hasOutbox(app)} />
          {!order.refunded && order.licenses.length > 0 && <Steps appUrl={app.env.appUrl} packages={packages} />}
        </>
      )}
    </div>
  );
}

type Settled = Extract<OrderStatus, { state: 'settled' }>;

/** In full only to whoever is signed in to that account: the page's address may have been passed on. */
async function addressFor(order: Settled): Promise<string | null> {
  const viewer = await currentViewer();
  const theirs = viewer?.memberships.some((each) => each.customerId === order.customerId) ?? false;
  return order.email && !theirs ? maskedEmail(order.email) : order.email;
}

function SettledNotice({ order, address, outbox }: { order: Settled; address: string | null; outbox: boolean }) {
  if (order.refunded) {
    return (
      <Notice tone="ended" title="This order was refunded" className="mt-6 min-h-18">
        Its licenses have ended, and its credential opens nothing any more.
      </Notice>
    );
  }
  if (order.licenses.length === 0) {
    return (
      <Notice tone="warning" title="We have your payment" className="mt-6 min-h-18">
        Our shop could not tell which product it was for. Somebody looks at it now and will write to you; you need do
        nothing.
      </Notice>
    );
  }
  return (
    <Notice tone="good" title="Your credential is in the mail" className="mt-6 min-h-18">
      {address && (
        <>
          It went to <Mono>{address}</Mono>.{' '}
        </>
      )}
      {outbox ? (
        <>
          In this demo,{' '}
          <Link href={paths.outbox()} className="link">
            read it in the outbox
          </Link>
          .
        </>
      ) : (
        <>
          Nothing came? Look in the spam folder, or{' '}
          <Link href={paths.dashboard()} className="link">
            sign in to see your licenses
          </Link>
          .
        </>
      )}
    </Notice>
  );
}

function boughtSentence(names: readonly string[]): string {
  if (names.length === 0) return 'Your payment has arrived.';
  const counted = [...new Set(names)].map((name) => {
    const count = names.filter((each) => each === name).length;
    return count === 1 ? `a license for ${name}` : `${count} licenses for ${name}`;
  });
  return `You own ${new Intl.ListFormat('en').format(counted)}.`;
}

/** What to do with the mail once it is there; the same lines stand in it, with the credential filled in. */
function Steps({ appUrl, packages }: { appUrl: string; packages: string[] }) {
  const lines = installLines({ appUrl, username: 'YOUR_USERNAME', secret: 'YOUR_SECRET', packages });
  const project = [lines.repository, lines.secureHttp].filter((line) => line !== null).join('\n');
  return (
    <section aria-labelledby="install" className="mt-10">
      <h2 id="install" className="font-semibold text-lg">
        Install it
      </h2>
      <p className="mt-1 text-ink-soft text-sm">
        These lines stand in the mail too, with your username and secret in place. Only the mail has the secret.
      </p>
      <ol className="mt-6 flex flex-col gap-8">
        <Step number={1} title="Tell Composer your credential" hint="Once per machine.">
          <CodeBlock code={lines.configBasic} what="the line for your credential" />
        </Step>
        <Step number={2} title="Add the repository" hint="Once per project, in its folder.">
          <CodeBlock code={project} what="the line for the repository" />
        </Step>
        <Step number={3} title="Require it">
          <CodeBlock code={lines.require ?? 'composer require PACKAGE_FROM_THE_MAIL'} what="the require line" />
        </Step>
      </ol>
    </section>
  );
}

function Step({
  number,
  title,
  hint,
  children,
}: {
  number: number;
  title: string;
  hint?: string;
  children: ReactNode;
}) {
  return (
    <li className="grid grid-cols-[1.75rem_minmax(0,1fr)] gap-x-3 gap-y-3">
      <span aria-hidden className="font-mono text-ink-soft text-sm leading-6">
        {number}.
      </span>
      <h3 className="font-medium">
        {title}
        {hint && <span className="block font-normal text-ink-soft text-sm sm:ml-2 sm:inline">{hint}</span>}
      </h3>
      <div className="col-span-2 min-w-0 sm:col-span-1 sm:col-start-2">{children}</div>
    </li>
  );
}
