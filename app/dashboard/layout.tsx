import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { Button } from '../_ui/button';
import { DemoBar } from '../_ui/demo-bar';
import { SiteFooter } from '../_ui/site-footer';
import { NavLink, SiteHeader } from '../_ui/site-header';
import { Width } from '../_ui/width';
import { currentViewer } from '../_viewer';
import { signOut } from '../sign-in/sign-out';

export const metadata: Metadata = { robots: { index: false } };

export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const [app, viewer] = await Promise.all([theApp(), currentViewer()]);
  return (
    <>
      {app.env.mode === 'demo' && <DemoBar />}
      <SiteHeader>
        <NavLink href={paths.home()}>Products</NavLink>
        {viewer?.staffRole && <NavLink href={paths.console()}>Console</NavLink>}
        {viewer && (
          <form action={signOut}>
            <Button
              type="submit"
              look="quiet"
              title={`Signed in as ${viewer.email}`}
              className="px-3 font-normal text-ink-soft"
            >
              Sign out
            </Button>
          </form>
        )}
      </SiteHeader>
      <Width is="wide" className="pt-10 sm:pt-14">
        <main id="content" tabIndex={-1} className="outline-none">
          {children}
        </main>
      </Width>
      <SiteFooter />
    </>
  );
}
