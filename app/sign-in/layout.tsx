import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { Site } from '../_ui/site';
import { NavLink } from '../_ui/site-header';

export const metadata: Metadata = { robots: { index: false } };

export default async function SignInLayout({ children }: { children: ReactNode }) {
  const { env } = await theApp();
  return (
    <Site demo={env.mode === 'demo'} narrow links={<NavLink href={paths.home()}>Products</NavLink>}>
      {children}
    </Site>
  );
}
