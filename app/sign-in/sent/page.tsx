import type { Metadata } from 'next';
import Link from 'next/link';
import { LINK_MINUTES, LINKS_PER_MAILBOX } from '../../../lib/identity/sign-in';
import { paths } from '../../../lib/paths';
import { theApp } from '../../_app';
import { ButtonLink } from '../../_ui/button';

export const metadata: Metadata = { title: 'Look into your mailbox' };

export default async function LinkSent() {
  const app = await theApp();
  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">Look into your mailbox</h1>
      <p className="mt-3">
        If your mail address has a place here, a link is on its way. It works once, within {LINK_MINUTES} minutes.
      </p>
      {app.env.mode === 'demo' && (
        <ButtonLink href={paths.outbox()} look="primary" size="lg" className="mt-6">
          Open the outbox
        </ButtonLink>
      )}
      <p className="mt-8 border-t pt-6 text-ink-soft text-sm">
        Nothing there after a minute? Look among the spam, and whether it is the address you bought with. Then{' '}
        <Link href={paths.signIn()} className="link">
          ask again
        </Link>
        ; a mailbox gets at most {LINKS_PER_MAILBOX} links in {LINK_MINUTES} minutes.
      </p>
    </>
  );
}
