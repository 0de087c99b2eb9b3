import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { hasOutbox, listOutbox } from '../../lib/mail/outbox';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { ButtonLink } from '../_ui/button';
import { Mono } from '../_ui/code-block';
import { EmptyState } from '../_ui/empty-state';
import { LinkPending } from '../_ui/link-pending';
import { PageHeader } from '../_ui/page-header';
import { RelativeTime } from '../_ui/time';

export const metadata: Metadata = { title: 'Outbox', robots: { index: false } };

export default async function Outbox() {
  const app = await theApp();
  // A layout's refusal does not keep its page from being made, so each page asks for itself.
  if (!hasOutbox(app)) notFound();
  const mails = await listOutbox(app);
  const now = app.clock.now();
  return (
    <>
      <PageHeader title="Outbox" actions={<ButtonLink href={paths.outbox()}>Look again</ButtonLink>}>
        In demo mode mail is delivered here instead of leaving this machine, secrets included.
      </PageHeader>
      {mails.length === 0 ? (
        <EmptyState
          title="No mail yet"
          className="mt-8"
          action={
            <ButtonLink look="primary" href={paths.home()}>
              See all products
            </ButtonLink>
          }
        >
          Buy something through the pretend checkout, or ask for a sign-in link: the mail appears here within a second.
        </EmptyState>
      ) : (
        <ol className="mt-8 divide-y border-y">
          {mails.map((mail) => (
            <li
              key={mail.file}
              className="relative grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-6 gap-y-1 py-3 outline-focus transition-colors hover:bg-hover has-[:focus-visible]:outline-2 sm:px-3"
            >
              <Link
                href={paths.outboxMail(mail.file)}
                className="truncate font-medium outline-none after:absolute after:inset-0"
              >
                {mail.subject}
                <LinkPending />
              </Link>
              <RelativeTime at={mail.deliveredAt} now={now} className="justify-self-end text-ink-soft text-sm" />
              <p className="truncate text-ink-soft text-sm">
                to <Mono>{mail.to}</Mono>
              </p>
              <p className="hidden text-right text-ink-soft text-sm sm:block">
                <Mono>{mail.kind}</Mono>
              </p>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
