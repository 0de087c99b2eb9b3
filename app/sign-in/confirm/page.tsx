import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { LINK_MINUTES, ownPath } from '../../../lib/identity/sign-in';
import { paths } from '../../../lib/paths';
import { oneOf, type SearchParams } from '../../_search-params';
import { Button } from '../../_ui/button';

// The link is in this page's address: it goes to no other site.
export const metadata: Metadata = { title: 'Sign in', referrer: 'same-origin' };

/** Where the mail's link leads. Opening it changes nothing, since mail scanners open every link; the button does. */
export default async function ConfirmSignIn({ searchParams }: { searchParams: SearchParams }) {
  const asked = await searchParams;
  const token = oneOf(asked.token);
  const email = oneOf(asked.email);
  if (!token || !email) redirect(`${paths.signIn()}?error=Verification`);
  const next = ownPath(oneOf(asked.next), paths.dashboard());
  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">One more click</h1>
      <p className="mt-2 text-ink-soft">
        You are about to sign in as <strong className="break-all font-medium text-ink">{email}</strong> in this browser.
      </p>
      <form method="post" action={paths.signInCallback(token, email, next)} className="mt-8">
        <Button type="submit" look="primary" size="lg" className="w-full" autoFocus>
          Sign in
        </Button>
      </form>
      <p className="mt-6 text-ink-soft text-sm">
        The link works once, within {LINK_MINUTES} minutes. If you did not ask for it, close this page: nothing happens.
      </p>
    </>
  );
}
