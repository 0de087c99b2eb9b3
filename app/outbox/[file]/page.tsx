import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { cache } from 'react';
import { readOutbox } from '../../../lib/mail/outbox';
import { paths } from '../../../lib/paths';
import { theApp } from '../../_app';
import { Mono } from '../../_ui/code-block';
import { CopyButton } from '../../_ui/copy-button';
import { PageHeader } from '../../_ui/page-header';
import { RelativeTime } from '../../_ui/time';
import { MailFrame } from './mail-frame';

type Props = { params: Promise<{ file: string }> };

const mailOf = cache(async (params: Props['params']) =>
  readOutbox(await theApp(), decodeURIComponent((await params).file)),
);

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await mailOf(params))?.subject ?? 'Not found', robots: { index: false } };
}

export default async function OutboxMail({ params }: Props) {
  const app = await theApp();
  const mail = await mailOf(params);
  if (!mail) notFound();
  return (
    <div className="mx-auto max-w-[680px]">
      <PageHeader
        title={mail.subject}
        above={
          <Link href={paths.outbox()} className="link">
            Outbox
          </Link>
        }
      />
      <dl className="mt-4 grid grid-cols-[max-content_minmax(0,1fr)] gap-x-6 gap-y-1 text-sm">
        <dt className="text-ink-soft">To</dt>
        <dd>
          <Mono>{mail.to}</Mono>
        </dd>
        <dt className="text-ink-soft">Delivered</dt>
        <dd>
          <RelativeTime at={mail.deliveredAt} now={app.clock.now()} />
        </dd>
        <dt className="text-ink-soft">Kind</dt>
        <dd>
          <Mono>{mail.kind}</Mono>
        </dd>
      </dl>
      <section aria-labelledby="html-part" className="mt-8">
        <h2 id="html-part" className="mb-3 font-medium text-base">
          As HTML
        </h2>
        <MailFrame html={mail.html} title={mail.subject} />
      </section>
      <section aria-labelledby="text-part" className="mt-10">
        <div className="mb-3 flex items-center justify-between">
          <h2 id="text-part" className="font-medium text-base">
            As text
          </h2>
          <CopyButton text={mail.text} what="the text part" />
        </div>
        <pre className="whitespace-pre-wrap break-words rounded border bg-sunken p-5 text-sm leading-6">
          {mail.text}
        </pre>
      </section>
    </div>
  );
}
