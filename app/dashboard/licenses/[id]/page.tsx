import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { credentialsOfCustomer } from '../../../../lib/credentials/find';
import { memberMay } from '../../../../lib/identity/viewer';
import { findLicense } from '../../../../lib/licenses/find';
import { paths } from '../../../../lib/paths';
import { theApp } from '../../../_app';
import { PageHeader } from '../../../_ui/page-header';
import { requireViewer } from '../../../_viewer';
import { CredentialList } from '../../credential-list';
import { LicenseCard } from '../../license-card';
import { SecretReveal } from '../../secret-reveal';

export const metadata: Metadata = { title: 'License' };

export default async function OneLicense({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const viewer = await requireViewer(paths.dashboardLicense(id));
  const app = await theApp();
  const view = await findLicense(app, id);
  if (!view || !memberMay(viewer, view.license.customerId, 'license.read')) notFound();
  const credentials = await credentialsOfCustomer(app, view.license.customerId);
  return (
    <SecretReveal>
      <PageHeader
        title={view.product.name}
        above={
          <Link href={paths.dashboard()} className="link">
            Your licenses
          </Link>
        }
      />
      <div className="mt-8">
        <LicenseCard view={view} app={app} linked={false} />
      </div>
      <h2 className="mt-10 mb-4 font-semibold text-lg">Credentials that open it</h2>
      <CredentialList
        credentials={credentials.filter((each) => each.licenses.some((license) => license.id === id))}
        viewer={viewer}
        app={app}
      />
    </SecretReveal>
  );
}
