import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { credentialsOfCustomer } from '../../lib/credentials/find';
import type { Membership, Viewer } from '../../lib/identity/viewer';
import { licensesOfCustomer } from '../../lib/licenses/find';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { ButtonLink } from '../_ui/button';
import { EmptyState } from '../_ui/empty-state';
import { PageHeader } from '../_ui/page-header';
import { requireViewer } from '../_viewer';
import { CredentialList } from './credential-list';
import { LicenseCard } from './license-card';
import { SecretReveal } from './secret-reveal';

export const metadata: Metadata = { title: 'Your licenses' };

export default async function Dashboard() {
  const viewer = await requireViewer(paths.dashboard());
  if (viewer.memberships.length === 0) redirect(paths.console());
  return (
    <SecretReveal>
      <PageHeader title="Your licenses">
        Signed in as <span className="break-all text-ink">{viewer.email}</span>
      </PageHeader>
      {viewer.memberships.map((membership) => (
        <Account key={membership.customerId} viewer={viewer} membership={membership} />
      ))}
    </SecretReveal>
  );
}

async function Account({ viewer, membership }: { viewer: Viewer; membership: Membership }) {
  const app = await theApp();
  const [licenses, credentials] = await Promise.all([
    licensesOfCustomer(app, membership.customerId),
    credentialsOfCustomer(app, membership.customerId),
  ]);
  const several = viewer.memberships.length > 1;
  return (
    <section className="mt-10" aria-label={membership.customerName}>
      {several && (
        <h2 className="mb-6 border-b pb-3 font-semibold text-lg">
          {membership.customerName}
          <span className="ml-3 font-normal text-ink-soft text-sm">you are {membership.role}</span>
        </h2>
      )}
      {licenses.length === 0 ? (
        <EmptyState
          title="No license yet"
          action={
            <ButtonLink href={paths.home()} look="primary">
              See all products
            </ButtonLink>
          }
        >
          A license appears here the moment a purchase is paid, with the credential that installs it.
        </EmptyState>
      ) : (
        <ul className="grid items-start gap-4 md:grid-cols-2">
          {licenses.map((view) => (
            <li key={view.license.id}>
              <LicenseCard view={view} app={app} />
            </li>
          ))}
        </ul>
      )}
      {(licenses.length > 0 || credentials.length > 0) && (
        <>
          <h2 className="mt-10 font-semibold text-lg">Credentials</h2>
          <p className="mt-1 mb-4 text-ink-soft text-sm">
            What Composer signs in with. One of them can open several licenses, so a server needs only one.
          </p>
          <CredentialList credentials={credentials} viewer={viewer} app={app} />
        </>
      )}
    </section>
  );
}
