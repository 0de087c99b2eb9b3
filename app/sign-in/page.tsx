import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { LINK_MINUTES, ownPath } from '../../lib/identity/sign-in';
import { paths } from '../../lib/paths';
import { oneOf, type SearchParams } from '../_search-params';
import { Field } from '../_ui/field';
import { Form, SubmitButton } from '../_ui/form';
import { Input } from '../_ui/input';
import { Notice } from '../_ui/notice';
import { currentViewer } from '../_viewer';
import { askForLink } from './ask';

export const metadata: Metadata = { title: 'Sign in' };

/** What next-auth says went wrong, in words; it tells the reasons by these names. */
const SENTENCES: Record<string, string> = {
  Verification: `This link was used already, or is older than ${LINK_MINUTES} minutes. Ask for a new one here.`,
  AccessDenied: 'This mail address has no place here any more. Nothing was changed.',
};

export default async function SignIn({ searchParams }: { searchParams: SearchParams }) {
  const asked = await searchParams;
  const next = ownPath(oneOf(asked.next) ?? oneOf(asked.callbackUrl), '');
  const error = oneOf(asked.error);
  const viewer = await currentViewer();
  if (viewer && !error) redirect(next || (viewer.memberships.length > 0 ? paths.dashboard() : paths.console()));

  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">Sign in</h1>
      <p className="mt-2 text-ink-soft">We mail you a link that signs you in. There is no password.</p>
      {error && (
        <Notice tone="warning" role="alert" className="mt-6">
          {SENTENCES[error] ?? 'Signing in did not work. Nothing was changed; ask for a new link here.'}
        </Notice>
      )}
      <Form action={askForLink} className="mt-8 flex flex-col gap-5">
        {next && <input type="hidden" name="next" value={next} />}
        <Field name="email" label="Mail address" hint="The one you bought with, or were invited by.">
          <Input
            type="email"
            required
            autoFocus
            autoComplete="email"
            inputMode="email"
            placeholder="name@example.com"
          />
        </Field>
        <SubmitButton size="lg" pendingLabel="Mailing the link">
          Mail me a link
        </SubmitButton>
      </Form>
    </>
  );
}
