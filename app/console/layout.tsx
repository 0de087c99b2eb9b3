import { KeyRound, ScrollText } from 'lucide-react';
import type { Metadata } from 'next';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { vendorName } from '../_ui/brand';
import { Button } from '../_ui/button';
import { cn } from '../_ui/cn';
import { DemoBar } from '../_ui/demo-bar';
import { currentViewer } from '../_viewer';
import { signOut } from '../sign-in/sign-out';
import { ConsoleMenu } from './console-menu';

export const metadata: Metadata = { robots: { index: false } };

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const [app, viewer] = await Promise.all([theApp(), currentViewer()]);
  const demo = app.env.mode === 'demo';
  const brand = (
    <Link href={paths.console()} className="flex min-w-0 items-center gap-2 font-semibold text-sm">
      <KeyRound aria-hidden className="size-4 shrink-0" />
      <span className="text-balance">{vendorName}</span>
    </Link>
  );
  const rooms = (
    <nav aria-label="Console" className="flex flex-col gap-1">
      <Link
        href={paths.consoleAudit()}
        aria-current="page"
        className="flex h-9 items-center gap-2 rounded px-3 text-sm hover:bg-hover aria-[current=page]:bg-hover aria-[current=page]:font-medium"
      >
        <ScrollText aria-hidden className="size-4" />
        Audit log
      </Link>
    </nav>
  );
  const who = viewer && (
    <div className="flex flex-col gap-2 text-sm">
      <p className="min-w-0 px-3">
        <span className="block truncate" title={viewer.email}>
          {viewer.email}
        </span>
        <span className="text-ink-soft text-xs">{viewer.staffRole}</span>
      </p>
      {viewer.memberships.length > 0 && (
        <Link href={paths.dashboard()} className="flex h-9 items-center rounded px-3 text-ink-soft hover:bg-hover">
          Your licenses
        </Link>
      )}
      <form action={signOut}>
        <Button type="submit" look="quiet" className="w-full justify-start px-3 font-normal text-ink-soft">
          Sign out
        </Button>
      </form>
    </div>
  );
  return (
    <>
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded focus:bg-raised focus:px-4 focus:py-2"
      >
        Skip to the content
      </a>
      {demo && <DemoBar width="full" />}
      <div className="flex flex-1 flex-col lg:flex-row">
        <header className="flex h-14 shrink-0 items-center justify-between border-b px-4 sm:px-6 lg:hidden">
          {brand}
          <ConsoleMenu>
            {rooms}
            <div className="mt-4 border-t pt-4">{who}</div>
          </ConsoleMenu>
        </header>
        <div className="hidden w-56 shrink-0 border-r lg:block">
          {/* The demo bar above takes 37 px of the first screen; who is signed in must not stand below its edge. */}
          <div className={cn('sticky top-0 flex flex-col gap-6 p-3', demo ? 'h-[calc(100dvh-37px)]' : 'h-dvh')}>
            <div className="px-3 pt-3">{brand}</div>
            {rooms}
            <div className="mt-auto">{who}</div>
          </div>
        </div>
        <main
          id="content"
          tabIndex={-1}
          className="min-w-0 flex-1 px-4 pt-6 pb-16 text-sm outline-none sm:px-6 lg:pt-8"
        >
          {children}
        </main>
      </div>
    </>
  );
}
