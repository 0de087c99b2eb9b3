import Link from 'next/link';
import { actionLabel, reasonLabel } from '../../../lib/audit/describe';
import type { AuditRecord } from '../../../lib/audit/search';
import { clientName } from '../../_client-name';
import { cn } from '../../_ui/cn';
import { VerdictBadge } from '../../_ui/standing';
import { Table, TBody, Td, THead, Th, Tr } from '../../_ui/table';
import { exactTime, relativeTime } from '../../_ui/time';
import { type Asked, auditLink } from './asked';

/** One page of events. A row leads to its event beside the table; the URL says which is open. */
export function EventTable({ records, asked, now }: { records: AuditRecord[]; asked: Asked; now: Date }) {
  return (
    <div className="mt-6">
      <Table label="Events, newest first" className="table-fixed">
        <THead>
          <tr>
            <Th className="w-28 first:pl-3 sm:w-32">Time</Th>
            <Th className="w-26">Verdict</Th>
            <Th>What</Th>
            <Th className="w-[16%] max-md:hidden">Package</Th>
            <Th className="w-[16%] max-lg:hidden">Credential</Th>
            <Th className="w-[9%] max-xl:hidden">License</Th>
            <Th className="w-[11%] max-sm:hidden sm:w-36 xl:w-[11%]">From</Th>
            <Th className="w-[12%] last:pr-3 max-xl:hidden">With</Th>
          </tr>
        </THead>
        <TBody>
          {records.map((record) => (
            <Row key={record.id} record={record} asked={asked} now={now} />
          ))}
        </TBody>
      </Table>
    </div>
  );
}

function Row({ record, asked, now }: { record: AuditRecord; asked: Asked; now: Date }) {
  const open = asked.event === record.id;
  const at = new Date(record.at);
  const release = [record.package, record.version].filter(Boolean).join('@');
  const count = record.data?.count;
  return (
    <Tr className={cn('relative hover:bg-sunken', open && 'bg-hover hover:bg-hover')}>
      <Td className="whitespace-nowrap first:pl-3">
        <time dateTime={record.at} title={exactTime(at)}>
          {relativeTime(at, now)}
          <span className="block font-mono text-ink-soft text-xs">{record.at.slice(11, 19)}</span>
        </time>
      </Td>
      <Td>
        {record.verdict === 'admitted' || record.verdict === 'refused' ? (
          <VerdictBadge verdict={record.verdict} />
        ) : (
          <span className="px-2 text-ink-soft text-xs">Change</span>
        )}
      </Td>
      <Td>
        <Link
          id={record.id}
          href={auditLink(asked, { cursor: asked.cursor, event: record.id })}
          aria-current={open || undefined}
          prefetch={false}
          scroll={false}
          className="after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-focus focus-visible:after:-outline-offset-2"
        >
          {actionLabel(record.action)}
          {typeof count === 'number' && ` × ${count}`}
        </Link>
        {record.reason && (
          <span className="line-clamp-2 text-ink-soft text-xs">
            {record.verdict ? reasonLabel(record.reason) : record.reason}
          </span>
        )}
        {release && <span className="block break-all font-mono text-ink-soft text-xs md:hidden">{release}</span>}
      </Td>
      <Machine text={release} className="max-md:hidden" />
      <Machine text={record.username ?? record.credentialId} className="max-lg:hidden" />
      <Machine text={record.licenseId} className="max-xl:hidden" />
      <Machine text={record.ip} className="max-sm:hidden" />
      <Td className="text-ink-soft text-xs last:pr-3 max-xl:hidden">{clientName(record.userAgent)}</Td>
    </Tr>
  );
}

/** What a machine wrote, in at most two lines: whole on hover and in the event beside. */
function Machine({ text, className }: { text: string | null; className?: string }) {
  return (
    <Td className={className}>
      {text && (
        <span title={text} className="line-clamp-2 break-all font-mono text-xs">
          {text}
        </span>
      )}
    </Td>
  );
}
