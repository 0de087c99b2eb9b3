import { notFound } from 'next/navigation';
import type { ReactNode } from 'react';
import { hasOutbox } from '../../lib/mail/outbox';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { DemoBar } from '../_ui/demo-bar';
import { SiteFooter } from '../_ui/site-footer';
import { NavLink, SiteHeader } from '../_ui/site-header';
import { Width } from '../_ui/width';

export default async function OutboxLayout({ children }: { children: ReactNode }) {
  if (!hasOutbox(await theApp())) notFound();
  return (
    <>
      <DemoBar />
      <SiteHeader>
        <NavLink href={paths.home()} aside>
          Products
        </NavLink>
        <NavLink href={paths.dashboard()}>Your licenses</NavLink>
      </SiteHeader>
      <Width is="wide" className="pt-10">
        <main id="content" tabIndex={-1} className="outline-none">
          {children}
        </main>
      </Width>
      <SiteFooter />
    </>
  );
}
