import type { Metadata } from 'next';
import Link from 'next/link';
import { redirect } from 'next/navigation';
import { Suspense } from 'react';
import { findEvent } from '../../../lib/audit/find';
import { searchRecords } from '../../../lib/audit/search';
import { findCustomer } from '../../../lib/identity/customers';
import { isDomainError } from '../../../lib/kit/errors';
import { absolute, paths } from '../../../lib/paths';
import type { App } from '../../../lib/ports/app';
import { theApp } from '../../_app';
import type { SearchParams } from '../../_search-params';
import { buttonStyle } from '../../_ui/button';
import { Mono } from '../../_ui/code-block';
import { EmptyState } from '../../_ui/empty-state';
import { Notice } from '../../_ui/notice';
import { PageHeader } from '../../_ui/page-header';
import { Skeleton } from '../../_ui/skeleton';
import { requireStaff } from '../../_viewer';
import { type Asked, auditFilter, auditLink, chartFilter, isNarrowed, readAsked } from './asked';
import { EventPanel } from './event-panel';
import { EventTable } from './event-table';
import { Filters } from './filters';
import { VerdictChart } from './verdict-chart';

export const metadata: Metadata = { title: 'Audit log' };

export default async function Audit({ searchParams }: { searchParams: SearchParams }) {
  const query = await searchParams;
  const asked = readAsked(query);
  const here = auditLink(asked, { event: asked.event, cursor: asked.cursor });
  await requireStaff('audit.read', here);
  // A form sends its empty fields too; an address that will be sent to a colleague says only what was asked.
  if (Object.values(query).includes('')) redirect(here);
  const app = await theApp();
  const [found, event] = await Promise.all([search(app, asked), asked.event ? findEvent(app, asked.event) : null]);
  const now = app.clock.now();

  return (
    <>
      <PageHeader title="Audit log">Every answer of the repository and every change, within a second.</PageHeader>
      <Filters asked={asked} />
      {'sentence' in found ? (
        <Notice tone="warning" className="mt-6">
          {found.sentence}{' '}
          <Link href={auditLink(asked)} className="link">
            First page
          </Link>
        </Notice>
      ) : (
        <>
          <Suspense fallback={<Skeleton className="mt-6 h-34 w-full" />}>
            <VerdictChart asked={asked} filter={chartFilter(found.filter, now)} />
          </Suspense>
          {found.records.length > 0 ? (
            <EventTable records={found.records} asked={asked} now={now} />
          ) : (
            <NothingFound app={app} asked={asked} />
          )}
          <nav aria-label="Pages" className="mt-4 flex gap-3">
            {asked.cursor && (
              <Link href={auditLink(asked)} className={buttonStyle({ size: 'sm' })}>
                Newest
              </Link>
            )}
            {found.next && (
              <Link href={auditLink(asked, { cursor: found.next })} className={buttonStyle({ size: 'sm' })}>
                Older
              </Link>
            )}
          </nav>
        </>
      )}
      {asked.event && <EventPanel record={event} asked={asked} />}
    </>
  );
}

/** One page of what was asked; a sentence where it cannot be asked like that. */
async function search(app: App, asked: Asked) {
  const customer = asked.by.customer ? await findCustomer(app, asked.by.customer) : null;
  if (asked.by.customer && !customer) {
    return { sentence: `No customer is known by ${asked.by.customer}, so nothing was searched.` };
  }
  const filter = auditFilter(asked, customer?.id ?? null, app.clock.now());
  try {
    return { filter, ...(await searchRecords(app, filter, { cursor: asked.cursor })) };
  } catch (error) {
    if (isDomainError(error)) return { sentence: error.message };
    throw error;
  }
}

function NothingFound({ app, asked }: { app: App; asked: Asked }) {
  if (isNarrowed(asked) || asked.range !== 'all') {
    return (
      <EmptyState
        title="Nothing like this happened in this time"
        className="mt-6"
        action={
          <Link
            href={asked.range === 'all' ? paths.consoleAudit() : auditLink(asked, { range: 'all' })}
            className={buttonStyle({ look: 'primary' })}
          >
            {asked.range === 'all' ? 'Show everything' : 'Search all time'}
          </Link>
        }
      >
        An event appears here within a second: each request to{' '}
        <Mono>{absolute(app.env.appUrl, paths.composerRoot())}</Mono>, admitted or refused, and each change to licenses,
        credentials, releases and people.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="The log is empty" className="mt-6">
      It fills with the first request to <Mono>{absolute(app.env.appUrl, paths.composerRoot())}</Mono>, the first sale
      and the first sign-in.
    </EmptyState>
  );
}
