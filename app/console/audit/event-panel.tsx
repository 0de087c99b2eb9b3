import { X } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { actionLabel, describeEvent, reasonLabel } from '../../../lib/audit/describe';
import { type AuditRecord, searchRecords } from '../../../lib/audit/search';
import { findCustomer } from '../../../lib/identity/customers';
import { emailOfUser } from '../../../lib/identity/members';
import { MINUTE } from '../../../lib/kit/clock';
import type { App } from '../../../lib/ports/app';
import { theApp } from '../../_app';
import { clientName } from '../../_client-name';
import { buttonStyle } from '../../_ui/button';
import { VerdictBadge } from '../../_ui/standing';
import { exactTime, relativeTime } from '../../_ui/time';
import { type Asked, auditLink, type Narrowing, readAsked } from './asked';
import { PanelFocus } from './panel-focus';

const NEIGHBOURS = 6;

/** Every fact of one event, what came before it, and the ways on from it. Its address can be sent to a colleague. */
export async function EventPanel({ record, asked }: { record: AuditRecord | null; asked: Asked }) {
  const back = auditLink(asked, { cursor: asked.cursor });
  const app = await theApp();
  return (
    <>
      <Link
        href={back}
        scroll={false}
        aria-label="Close the event"
        tabIndex={-1}
        className="fixed inset-0 z-30 bg-veil lg:hidden"
      />
      <aside
        aria-labelledby="event-title"
        className="fixed inset-x-0 bottom-0 z-40 max-h-[85dvh] animate-from-right overflow-y-auto rounded-t border bg-raised p-6 shadow-float sm:inset-y-0 sm:left-auto sm:max-h-none sm:w-110 sm:rounded-none sm:border-y-0 sm:border-r-0"
      >
        <PanelFocus key={asked.event} back={back} opener={asked.event ?? ''} />
        <div className="mb-4 flex items-start justify-between gap-4">
          <h2 id="event-title" tabIndex={-1} className="font-semibold text-lg outline-none">
            {record ? actionLabel(record.action) : 'No such event'}
          </h2>
          <Link
            href={back}
            scroll={false}
            aria-label="Close"
            className={buttonStyle({ look: 'quiet', size: 'icon', className: '-mt-1 -mr-2' })}
          >
            <X aria-hidden />
          </Link>
        </div>
        {record ? (
          <Facts app={app} record={record} />
        ) : (
          <p className="text-ink-soft">Its month may have been dropped, or the address is mistyped.</p>
        )}
      </aside>
    </>
  );
}

async function Facts({ app, record }: { app: App; record: AuditRecord }) {
  const at = new Date(record.at);
  const [customer, actor, before] = await Promise.all([
    record.customerId ? findCustomer(app, record.customerId) : null,
    actorName(app, record.actor),
    neighbours(app, record, at),
  ]);
  const customerName = customer?.email ?? record.customerId;
  return (
    <>
      <p className="break-words">{describeEvent(record)}</p>
      <dl className="mt-5 flex flex-col gap-3">
        <Fact name="Time">
          <time dateTime={record.at}>
            {exactTime(at)}
            <span className="block text-ink-soft">{relativeTime(at, app.clock.now())}</span>
          </time>
        </Fact>
        {(record.verdict === 'admitted' || record.verdict === 'refused') && (
          <Fact name="Verdict">
            <VerdictBadge verdict={record.verdict} />
          </Fact>
        )}
        {record.reason && <Fact name="Reason">{record.verdict ? reasonLabel(record.reason) : record.reason}</Fact>}
        {actor && <Fact name="Done by">{actor}</Fact>}
        {customerName && (
          <Narrowed name="Customer" by="customer" value={customerName} mono={customerName.startsWith('cus_')} />
        )}
        <Narrowed name="License" by="license" value={record.licenseId} />
        <Narrowed name="Credential" by="credential" value={record.credentialId} />
        <Narrowed name="Username" by="username" value={record.username} />
        <Narrowed name="Package" by="package" value={record.package} />
        {record.version && (
          <Fact name="Version">
            <span className="font-mono">{record.version}</span>
          </Fact>
        )}
        <Narrowed name="From" by="ip" value={record.ip} />
        {record.userAgent && (
          <Fact name="With">
            {clientName(record.userAgent)}
            <span className="mt-1 block break-words font-mono text-ink-soft text-xs">{record.userAgent}</span>
          </Fact>
        )}
        {Object.entries(record.data ?? {}).map(([name, value]) => (
          <Fact key={name} name={name}>
            <span className="break-all font-mono">
              {Array.isArray(value) ? value.join(', ') : String(value ?? '—')}
            </span>
          </Fact>
        ))}
        <Fact name="Node">
          <span className="font-mono">{record.node}</span>
        </Fact>
        <Fact name="Event">
          <span className="break-all font-mono text-xs">{record.id}</span>
        </Fact>
      </dl>
      {before && before.records.length > 0 && (
        <section className="mt-8">
          <h3 className="font-medium">Before it, from the same {before.same}</h3>
          <ul className="mt-2 divide-y border-y">
            {before.records.map((each) => (
              <li key={each.id}>
                <Link
                  href={auditLink(readAsked({}), {
                    range: 'custom',
                    ...around(new Date(each.at)),
                    by: { [before.by]: before.value },
                    event: each.id,
                  })}
                  prefetch={false}
                  className="flex items-baseline justify-between gap-4 py-2 hover:bg-sunken"
                >
                  <span className="min-w-0 truncate">
                    {actionLabel(each.action)}
                    {each.package && <span className="ml-2 font-mono text-ink-soft text-xs">{each.package}</span>}
                  </span>
                  <span className="shrink-0 text-ink-soft text-xs">
                    {each.verdict === 'refused' && <span className="mr-2 text-ended">Refused</span>}
                    {relativeTime(new Date(each.at), app.clock.now())}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-4">
      <dt className="w-24 shrink-0 break-words text-ink-soft">{name}</dt>
      <dd className="min-w-0 flex-1">{children}</dd>
    </div>
  );
}

/** A fact that leads to everything that shares it. */
function Narrowed({
  name,
  by,
  value,
  mono = true,
}: {
  name: string;
  by: Narrowing;
  value: string | null;
  mono?: boolean;
}) {
  if (!value) return null;
  return (
    <Fact name={name}>
      <Link
        href={auditLink(readAsked({}), { by: { [by]: value } })}
        prefetch={false}
        title="Everything with this"
        className={`link break-all ${mono ? 'font-mono' : ''}`}
      >
        {value}
      </Link>
    </Fact>
  );
}

/** Five whole minutes on either side: what a person looks at to see what led to what. */
function around(at: Date): { since: Date; until: Date } {
  const minute = Math.floor(at.getTime() / MINUTE);
  return { since: new Date((minute - 5) * MINUTE), until: new Date((minute + 6) * MINUTE) };
}

async function neighbours(app: App, record: AuditRecord, at: Date) {
  const kinship =
    (record.credentialId && { same: 'credential', by: 'credential' as const, value: record.credentialId }) ||
    (record.licenseId && { same: 'license', by: 'license' as const, value: record.licenseId }) ||
    (record.ip && { same: 'address', by: 'ip' as const, value: record.ip });
  if (!kinship) return null;
  const field = { credential: 'credentialId', license: 'licenseId', ip: 'ip' } as const;
  const until = new Date(at.getTime() + 1);
  const { records } = await searchRecords(app, { [field[kinship.by]]: kinship.value, until }, { limit: NEIGHBOURS });
  return { ...kinship, records: records.filter((each) => each.id !== record.id) };
}

/** `staff:usr_…` as a person; the machine's own doings as they are called. */
async function actorName(app: App, actor: string | null): Promise<string | null> {
  if (!actor) return null;
  const [kind, userId] = actor.split(':');
  if (!userId) return { stripe: 'Stripe', system: 'Latchkey itself', cli: 'the command line' }[actor] ?? actor;
  const email = await emailOfUser(app, userId);
  return `${email ?? userId} (${kind})`;
}
