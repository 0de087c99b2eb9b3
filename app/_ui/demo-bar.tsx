import Link from 'next/link';
import { paths } from '../../lib/paths';
import { Width, type widths } from './width';

/** Above every page of an installation that only tries things out. */
export function DemoBar({ width = 'wide' }: { width?: keyof typeof widths }) {
  return (
    <div className="border-b bg-sunken text-ink-soft text-sm">
      <Width is={width} className="flex flex-wrap items-center justify-between gap-x-6 py-2">
        <p>Demo: no money moves, no mail leaves this machine.</p>
        <Link href={paths.outbox()} className="link text-ink">
          Read the outbox
        </Link>
      </Width>
    </div>
  );
}
