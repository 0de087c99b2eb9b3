import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { credentialsOfCustomer, findCredential } from '../../../../../lib/credentials/find';
import { memberMay, membershipIn, roleSentence } from '../../../../../lib/identity/viewer';
import { paths } from '../../../../../lib/paths';
import { theApp } from '../../../../_app';
import { ButtonLink } from '../../../../_ui/button';
import { Mono } from '../../../../_ui/code-block';
import { EmptyState } from '../../../../_ui/empty-state';
import { Form, SubmitButton } from '../../../../_ui/form';
import { Notice } from '../../../../_ui/notice';
import { PageHeader } from '../../../../_ui/page-header';
import { requireViewer } from '../../../../_viewer';
import { bindToExisting } from '../../../actions';
import { LastUse } from '../../../credential-card';

export const metadata: Metadata = { title: 'Bind to the one you have' };

/** Where a mail about another purchase leads. Looking changes nothing; the button does. */
export default async function Bind({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const viewer = await requireViewer(paths.bindCredential(id));
  const app = await theApp();
  const fresh = await findCredential(app, id);
  if (!fresh || !memberMay(viewer, fresh.customerId, 'credential.read')) notFound();
  const now = app.clock.now();
  const others = (await credentialsOfCustomer(app, fresh.customerId))
    .filter((each) => each.standing === 'working' && !each.replacedById && each.id !== fresh.id)
    .sort((a, b) => (b.lastValidatedAt?.getTime() ?? 0) - (a.lastValidatedAt?.getTime() ?? 0));
  const products = fresh.licenses.map((license) => license.product).join(', ');
  const may = memberMay(viewer, fresh.customerId, 'credential.combine');
  const [first] = others;

  return (
    <div className="max-w-[680px]">
      <PageHeader
        title="Bind to the one you have"
        above={
          <Link href={paths.dashboard()} className="link">
            Your licenses
          </Link>
        }
      >
        Composer keeps one credential per host. Let one that your servers already have open{' '}
        <span className="text-ink">{products}</span> too: there is nothing to paste anywhere.
      </PageHeader>
      {fresh.standing !== 'working' ? (
        <EmptyState
          title={fresh.revokedReason === 'combined' ? 'This is done already' : 'This credential has ended'}
          action={<ButtonLink href={paths.dashboard()}>Your licenses</ButtonLink>}
          className="mt-8"
        >
          {fresh.revokedReason === 'combined'
            ? 'Its licenses were bound to another of your credentials, and it stopped working then.'
            : 'There is nothing to bind any more. Your licenses and the credentials that open them stand on one page.'}
        </EmptyState>
      ) : !first ? (
        <EmptyState
          title="There is no other credential"
          action={<ButtonLink href={paths.dashboard()}>Your licenses</ButtonLink>}
          className="mt-8"
        >
          <Mono>{fresh.username}</Mono> is the only one of yours that works, so use it as the mail says.
        </EmptyState>
      ) : (
        <Form action={bindToExisting} className="mt-8">
          <input type="hidden" name="newId" value={fresh.id} />
          <fieldset className="flex flex-col gap-3">
            <legend className="mb-3 font-medium text-sm">The one that your servers have</legend>
            {others.map((each) => (
              <label
                key={each.id}
                className="flex cursor-pointer gap-3 rounded border bg-raised p-4 hover:border-line-strong has-checked:border-line-strong has-checked:bg-sunken"
              >
                <input
                  type="radio"
                  name="existingId"
                  value={each.id}
                  required
                  defaultChecked={each.id === first.id}
                  className="mt-1 size-4 shrink-0 accent-brass"
                />
                <span className="min-w-0 text-sm">
                  {each.label && <span className="block font-medium">{each.label}</span>}
                  <Mono>{each.username}</Mono>
                  <span className="mt-1 block text-ink-soft">
                    Opens {each.licenses.map((license) => license.product).join(', ')}. Last used{' '}
                    <LastUse credential={each} now={now} />
                  </span>
                </span>
              </label>
            ))}
          </fieldset>
          <p className="mt-5 text-ink-soft text-sm">
            <Mono className="text-ink">{fresh.username}</Mono>, which was mailed to you, stops then. If it is in use
            somewhere already, keep it instead and do nothing here.
          </p>
          {may ? (
            <SubmitButton size="lg" className="mt-5" pendingLabel="Binding">
              Bind to this one
            </SubmitButton>
          ) : (
            <Notice className="mt-5">{roleSentence(membershipIn(viewer, fresh.customerId))}</Notice>
          )}
        </Form>
      )}
    </div>
  );
}
