import { KeyRound } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { vendorName } from './brand';
import { cn } from './cn';
import { LinkPending } from './link-pending';
import { Width, type widths } from './width';

/** The vendor's name at the left, the way on at the right. `children` are the links. */
export function SiteHeader({ width = 'wide', children }: { width?: keyof typeof widths; children?: ReactNode }) {
  return (
    <header className="border-b bg-ground">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded focus:bg-raised focus:px-4 focus:py-2"
      >
        Skip to the content
      </a>
      <Width is={width} className="flex h-14 items-center justify-between gap-4">
        <Link href={paths.home()} className="flex min-w-0 items-center gap-2 font-semibold text-base">
          <KeyRound aria-hidden className="size-4 shrink-0" />
          <span className="truncate">{vendorName}</span>
        </Link>
        <nav aria-label="Main" className="flex items-center gap-1 text-sm">
          {children}
        </nav>
      </Width>
    </header>
  );
}

/** `aside` leaves the link out where the page is narrow, for what the brand at the left leads to as well. */
export function NavLink({ href, aside = false, children }: { href: string; aside?: boolean; children: ReactNode }) {
  return (
    <Link
      href={href}
      className={cn(
        'relative h-9 items-center whitespace-nowrap rounded px-3 text-ink-soft transition-colors last:-mr-3 hover:bg-hover hover:text-ink',
        aside ? 'hidden sm:inline-flex' : 'inline-flex',
      )}
    >
      {children}
      <LinkPending />
    </Link>
  );
}
