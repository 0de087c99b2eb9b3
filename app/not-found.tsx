import type { Metadata } from 'next';
import { NotHere } from './_ui/not-here';
import { SiteFooter } from './_ui/site-footer';
import { SiteHeader } from './_ui/site-header';
import { Width } from './_ui/width';

export const metadata: Metadata = { title: 'Not found' };

export default function NotFound() {
  return (
    <>
      <SiteHeader />
      <Width is="wide" className="pt-14">
        <main id="content" tabIndex={-1} className="outline-none">
          <NotHere />
        </main>
      </Width>
      <SiteFooter />
    </>
  );
}
