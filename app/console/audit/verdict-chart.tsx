import { countVerdicts, type VerdictCount } from '../../../lib/audit/counts';
import type { AuditFilter } from '../../../lib/audit/search';
import { DAY } from '../../../lib/kit/clock';
import { theApp } from '../../_app';
import { Table, TBody, Td, THead, Th } from '../../_ui/table';
import { type Asked, auditLink } from './asked';

/** In the drawing's own units, which are as high as pixels. */
const HEIGHT = 80;
const BAR_MIN = 2;
const HOUR_FORMAT = {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
} as const;
const number = new Intl.NumberFormat('en');

/** Admitted above the line, refused below, on one scale; a bar leads to its hour or day. */
export async function VerdictChart({
  asked,
  filter,
}: {
  asked: Asked;
  filter: AuditFilter & { since: Date; until: Date };
}) {
  const counts = await countVerdicts(await theApp(), filter);
  if (!counts) {
    return (
      <p className="mt-6 text-ink-soft">Too much happened in this time to count it quickly; choose a shorter one.</p>
    );
  }
  const { buckets, bucketMs } = counts;
  const admitted = buckets.reduce((sum, each) => sum + each.admitted, 0);
  const refused = buckets.reduce((sum, each) => sum + each.refused, 0);
  if (admitted + refused === 0) return null;
  const unit = bucketMs === DAY ? 'day' : 'hour';
  const mostAdmitted = Math.max(...buckets.map((each) => each.admitted));
  const mostRefused = Math.max(...buckets.map((each) => each.refused));
  // One scale on both sides of the line, so that a bar means the same above and below it. What there is at all must be
  // seen: a single refusal among thousands is what one looks for.
  const height = (value: number) =>
    value === 0 ? 0 : Math.max(BAR_MIN, (value / (mostAdmitted + mostRefused)) * HEIGHT);
  const line = height(mostAdmitted);
  const full = line + 1 + Math.max(height(mostRefused), BAR_MIN);
  const summary = `${number.format(admitted)} admitted and ${number.format(refused)} refused, by ${unit}`;
  const named = (bucket: VerdictCount) =>
    unit === 'day'
      ? bucket.from.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
      : `${bucket.from.toLocaleString('en-GB', HOUR_FORMAT)} UTC`;
  const [first] = buckets;
  const last = buckets.at(-1);

  return (
    <figure className="mt-6">
      <figcaption className="mb-2 flex flex-wrap items-baseline gap-x-4 gap-y-1 text-ink-soft text-xs">
        <Key className="bg-good" words={`${number.format(admitted)} admitted`} />
        <Key className="bg-ended" words={`${number.format(refused)} refused`} />
        <span className="ml-auto">
          by {unit}, at most {number.format(Math.max(mostAdmitted, mostRefused))}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${buckets.length * 10} ${full}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
        className="block h-21 w-full"
      >
        {buckets.map((bucket, place) => (
          <a
            key={bucket.from.getTime()}
            tabIndex={-1}
            href={auditLink(asked, {
              range: 'custom',
              since: bucket.from,
              until: new Date(bucket.from.getTime() + bucketMs),
            })}
          >
            <title>{`${named(bucket)}: ${bucket.admitted} admitted, ${bucket.refused} refused`}</title>
            <rect x={place * 10} y={0} width={10} height={full} className="fill-transparent hover:fill-hover" />
            <rect
              x={place * 10 + 1}
              y={line - height(bucket.admitted)}
              width={8}
              height={height(bucket.admitted)}
              className="pointer-events-none fill-good"
            />
            <rect
              x={place * 10 + 1}
              y={line + 1}
              width={8}
              height={height(bucket.refused)}
              className="pointer-events-none fill-ended"
            />
          </a>
        ))}
        <line
          x1={0}
          x2={buckets.length * 10}
          y1={line + 0.5}
          y2={line + 0.5}
          vectorEffect="non-scaling-stroke"
          className="stroke-line-strong"
        />
      </svg>
      <div className="mt-1 flex justify-between text-ink-soft text-xs tabular-nums">
        <span>{first && named(first)}</span>
        <span>{last && named(last)}</span>
      </div>
      <details className="mt-1">
        <summary className="link w-fit text-ink-soft text-xs">As a table</summary>
        <div className="mt-2 max-w-md">
          <Table label={summary}>
            <THead>
              <tr>
                <Th>{unit === 'day' ? 'Day' : 'Hour'}</Th>
                <Th className="text-right">Admitted</Th>
                <Th className="text-right">Refused</Th>
              </tr>
            </THead>
            <TBody>
              {buckets
                .filter((each) => each.admitted + each.refused > 0)
                .map((each) => (
                  <tr key={each.from.getTime()}>
                    <Td className="h-8 py-1">
                      <time dateTime={each.from.toISOString()}>{named(each)}</time>
                    </Td>
                    <Td className="h-8 py-1 text-right">{number.format(each.admitted)}</Td>
                    <Td className="h-8 py-1 text-right">{number.format(each.refused)}</Td>
                  </tr>
                ))}
            </TBody>
          </Table>
        </div>
      </details>
    </figure>
  );
}

function Key({ className, words }: { className: string; words: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden className={`size-2 rounded-full ${className}`} />
      {words}
    </span>
  );
}
