import { actionLabels } from '../../lib/audit/describe';
import type { AuditAction } from '../../lib/audit/events';
import { exportEvents } from '../../lib/audit/export';
import { record } from '../../lib/audit/record';
import { type AuditFilter, searchEvents } from '../../lib/audit/search';
import { verifyAudit } from '../../lib/audit/verify';
import { transact } from '../../lib/db/transact';
import { findCustomer } from '../../lib/identity/customers';
import { type App, BY_CLI, type Command, type Invocation, instant, required, WrongUsage, wholeNumber } from './command';

const FILTER_USAGE =
  '[--license ID] [--customer MAIL] [--credential ID] [--package NAME] [--since T] [--until T] [--action A] [--verdict admitted|refused]';

const FILTER_OPTIONS = {
  license: { type: 'string' },
  customer: { type: 'string' },
  credential: { type: 'string' },
  package: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  action: { type: 'string' },
  verdict: { type: 'string' },
} as const;

export const auditCommands: Command[] = [
  {
    words: 'audit search',
    usage: `${FILTER_USAGE} [--limit N] [--cursor C]`,
    options: { ...FILTER_OPTIONS, limit: { type: 'string' }, cursor: { type: 'string' } },
    async run(app, args) {
      const json = await searchEvents(app, await filterOf(app, args), {
        cursor: args.text('cursor'),
        limit: wholeNumber(args.text('limit') ?? '50', 'limit'),
      });
      const lines = json.events.map((event) =>
        [
          event.at,
          event.verdict ?? '-',
          event.action,
          event.package ?? '',
          event.version ?? '',
          event.username ?? '',
          event.ip ?? '',
          event.reason ?? '',
        ]
          .join('  ')
          .trimEnd(),
      );
      if (json.next) lines.push(`More: --cursor ${json.next}`);
      return { json, text: lines.join('\n') || 'No event fits.' };
    },
  },
  {
    words: 'audit export',
    usage: `--format csv|jsonl ${FILTER_USAGE}`,
    options: { ...FILTER_OPTIONS, format: { type: 'string' } },
    async run(app, args) {
      const format = required(args, 'format');
      if (format !== 'csv' && format !== 'jsonl') throw new WrongUsage('--format is csv or jsonl.');
      const filter = await filterOf(app, args);
      await transact(app, (tx) =>
        record(app, tx, { action: 'audit.exported', by: BY_CLI, data: { format, ...asAsked(args) } }),
      );
      return { json: null, text: '', stream: exportEvents(app, filter, format) };
    },
  },
  {
    words: 'audit verify',
    usage: '',
    async run(app) {
      const verification = await verifyAudit(app);
      const tail = verification.unsealedTail.rows;
      const text = verification.ok
        ? `The audit chain verifies: ${verification.sealed} sealed events, ${tail} not sealed yet.`
        : verification.damage.map((each) => each.sentence).join('\n');
      return { json: verification, text, exitCode: verification.ok ? 0 : 1 };
    },
  },
];

/** The filter in the words it was asked with. */
function asAsked(args: Invocation): Record<string, string> {
  const flags = Object.keys(FILTER_OPTIONS).map((flag) => [flag, args.text(flag)] as const);
  return Object.fromEntries(flags.filter((flag): flag is [string, string] => flag[1] !== null));
}

async function filterOf(app: App, args: Invocation): Promise<AuditFilter> {
  const now = app.clock.now();
  const mail = args.text('customer');
  const customer = mail ? await findCustomer(app, mail) : null;
  const verdict = args.text('verdict');
  if (verdict !== null && verdict !== 'admitted' && verdict !== 'refused') {
    throw new WrongUsage('--verdict is admitted or refused.');
  }
  const action = args.text('action');
  if (action !== null && !actionLabels().some((known) => known.action === action)) {
    throw new WrongUsage(`--action knows no "${action}"; it is one such as archive.downloaded or license.refunded.`);
  }
  const since = args.text('since');
  const until = args.text('until');
  return {
    licenseId: args.text('license'),
    // A mail that nobody has finds nothing, which is not the same as not being filtered by it.
    customerId: mail ? (customer?.id ?? 'cus_none') : null,
    credentialId: args.text('credential'),
    package: args.text('package'),
    since: since === null ? null : instant(since, 'since', now),
    until: until === null ? null : instant(until, 'until', now),
    action: action as AuditAction | null,
    verdict,
  };
}
