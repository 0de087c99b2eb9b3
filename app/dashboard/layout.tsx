import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { Button } from '../_ui/button';
import { Site } from '../_ui/site';
import { NavLink } from '../_ui/site-header';
import { currentViewer } from '../_viewer';
import { signOut } from '../sign-in/sign-out';

export const metadata: Metadata = { robots: { index: false } };

export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const [app, viewer] = await Promise.all([theApp(), currentViewer()]);
  const links = (
    <>
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
    </>
  );
  return (
    <Site demo={app.env.mode === 'demo'} links={links}>
      {children}
    </Site>
  );
}
