import type { ReactNode } from 'react';
import { theApp } from '../_app';
import { Site, StoreLinks } from '../_ui/site';

export default async function StoreLayout({ children }: { children: ReactNode }) {
  const { env } = await theApp();
  return (
    <Site demo={env.mode === 'demo'} links={<StoreLinks />}>
      {children}
    </Site>
  );
}
