import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { DemoBar } from './demo-bar';
import { SiteFooter } from './site-footer';
import { NavLink, SiteHeader } from './site-header';
import { Width } from './width';

/** What stands around every page outside the console. `links` stand at the right of the vendor's name. */
export function Site({
  demo,
  links,
  narrow = false,
  children,
}: {
  demo: boolean;
  links: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}) {
  const main = (
    <main id="content" tabIndex={-1} className="outline-none">
      {children}
    </main>
  );
  return (
    <>
      {demo && <DemoBar />}
      <SiteHeader>{links}</SiteHeader>
      {narrow ? (
        <div className="mx-auto w-full max-w-[420px] px-4 pt-12 sm:pt-20">{main}</div>
      ) : (
        <Width is="wide" className="pt-10 sm:pt-14">
          {main}
        </Width>
      )}
      <SiteFooter />
    </>
  );
}

/** The links of a buyer's pages. */
export function StoreLinks() {
  return (
    <>
      <NavLink href={paths.home()} aside>
        Products
      </NavLink>
      <NavLink href={paths.dashboard()}>Your licenses</NavLink>
    </>
  );
}
