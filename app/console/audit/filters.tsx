import { X } from 'lucide-react';
import Link from 'next/link';
import { actionLabel, actionLabels, reasonLabel } from '../../../lib/audit/describe';
import { paths } from '../../../lib/paths';
import { Button } from '../../_ui/button';
import { Input, Select } from '../../_ui/input';
import { type Asked, auditLink, isNarrowed, NARROWINGS, type Narrowing } from './asked';
import { Labelled } from './labelled';
import { TimeFields } from './time-fields';

const WORDS: Record<Narrowing, string> = {
  customer: 'Customer',
  username: 'Username',
  package: 'Package',
  ip: 'IP address',
  license: 'License',
  credential: 'Credential',
  reason: 'Reason',
};

/** A plain form whose answer is a URL: every search can be sent to a colleague. */
export function Filters({ asked }: { asked: Asked }) {
  const gate = actionLabels().filter((each) => GATE_ACTIONS.has(each.action));
  const changes = actionLabels().filter((each) => !GATE_ACTIONS.has(each.action));
  const furtherUsed = FURTHER.some((name) => asked.by[name]);
  return (
    // Made anew with each search, since a form keeps its own values while the page around it changes.
    <search key={auditLink(asked)} className="mt-6 block">
      <form action={paths.consoleAudit()} className="flex flex-col gap-3">
        <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
          <TimeFields range={asked.range} since={asked.since} until={asked.until} />
          <Labelled label="Verdict">
            <Select name="verdict" defaultValue={asked.verdict ?? ''}>
              <option value="">Any</option>
              <option value="admitted">Admitted</option>
              <option value="refused">Refused</option>
            </Select>
          </Labelled>
          <Labelled label="Action">
            <Select name="action" defaultValue={asked.action ?? ''}>
              <option value="">Any</option>
              <optgroup label="Requests">
                {gate.map(({ action, label }) => (
                  <option key={action} value={action}>
                    {label}
                  </option>
                ))}
              </optgroup>
              <optgroup label="Changes">
                {changes.map(({ action, label }) => (
                  <option key={action} value={action}>
                    {label}
                  </option>
                ))}
              </optgroup>
            </Select>
          </Labelled>
          <Text name="customer" asked={asked} placeholder="name@example.com" />
          <Text name="package" asked={asked} placeholder="vendor/name" mono />
          <Text name="ip" asked={asked} mono />
        </div>
        <details open={furtherUsed}>
          <summary className="link w-fit text-ink-soft text-xs">Username, license, credential</summary>
          <div className="mt-3 grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-4">
            <Text name="username" asked={asked} mono />
            <Text name="license" asked={asked} placeholder="lic_…" mono />
            <Text name="credential" asked={asked} placeholder="crd_…" mono />
          </div>
        </details>
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" look="primary">
            Search
          </Button>
          <Chosen asked={asked} />
        </div>
      </form>
    </search>
  );
}

const FURTHER = ['username', 'license', 'credential'] as const;
const GATE_ACTIONS = new Set<string>(['repository.read', 'metadata.read', 'archive.downloaded', 'install.reported']);

/** What narrows the search now, each with the way to drop it. */
function Chosen({ asked }: { asked: Asked }) {
  if (!isNarrowed(asked)) return null;
  const chips: { says: string; without: string }[] = [];
  if (asked.verdict) chips.push({ says: `Verdict: ${asked.verdict}`, without: auditLink(asked, { verdict: null }) });
  if (asked.action) chips.push({ says: actionLabel(asked.action), without: auditLink(asked, { action: null }) });
  for (const name of NARROWINGS) {
    const value = asked.by[name];
    if (!value) continue;
    const says = name === 'reason' ? reasonLabel(value) : value;
    chips.push({
      says: `${WORDS[name]}: ${says}`,
      without: auditLink(asked, { by: { ...asked.by, [name]: undefined } }),
    });
  }
  return (
    <ul className="flex flex-wrap gap-2">
      {asked.by.reason && <input type="hidden" name="reason" value={asked.by.reason} />}
      {chips.map((chip) => (
        <li key={chip.says} className="max-w-full">
          <Link
            href={chip.without}
            className="inline-flex min-h-7 max-w-full items-center gap-1.5 rounded-full border bg-sunken px-3 text-xs hover:bg-hover"
          >
            <span className="truncate">{chip.says}</span>
            <X aria-label="Search without this" className="size-3 shrink-0" />
          </Link>
        </li>
      ))}
      <li>
        <Link href={paths.consoleAudit()} className="link inline-flex min-h-7 items-center px-1 text-ink-soft text-xs">
          Clear all
        </Link>
      </li>
    </ul>
  );
}

function Text({
  name,
  asked,
  placeholder,
  mono = false,
}: {
  name: Narrowing;
  asked: Asked;
  placeholder?: string;
  mono?: boolean;
}) {
  return (
    <Labelled label={WORDS[name]}>
      <Input
        name={name}
        defaultValue={asked.by[name] ?? ''}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        className={mono ? 'font-mono' : undefined}
      />
    </Labelled>
  );
}
