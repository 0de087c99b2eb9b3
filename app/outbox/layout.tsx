import { notFound } from 'next/navigation';
import type { ReactNode } from 'react';
import { hasOutbox } from '../../lib/mail/outbox';
import { theApp } from '../_app';
import { Site, StoreLinks } from '../_ui/site';

export default async function OutboxLayout({ children }: { children: ReactNode }) {
  if (!hasOutbox(await theApp())) notFound();
  return (
    <Site demo links={<StoreLinks />}>
      {children}
    </Site>
  );
}
