import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { DemoBar } from '../_ui/demo-bar';
import { SiteFooter } from '../_ui/site-footer';
import { NavLink, SiteHeader } from '../_ui/site-header';

export const metadata: Metadata = { robots: { index: false } };

export default async function SignInLayout({ children }: { children: ReactNode }) {
  const app = await theApp();
  return (
    <>
      {app.env.mode === 'demo' && <DemoBar />}
      <SiteHeader>
        <NavLink href={paths.home()}>Products</NavLink>
      </SiteHeader>
      <div className="mx-auto w-full max-w-[420px] px-4 pt-12 sm:pt-20">
        <main id="content" tabIndex={-1} className="outline-none">
          {children}
        </main>
      </div>
      <SiteFooter />
    </>
  );
}
