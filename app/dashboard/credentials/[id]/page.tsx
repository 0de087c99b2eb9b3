import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { credentialsOfCustomer, findCredential } from '../../../../lib/credentials/find';
import { memberMay } from '../../../../lib/identity/viewer';
import { paths } from '../../../../lib/paths';
import { theApp } from '../../../_app';
import { oneOf, type SearchParams } from '../../../_search-params';
import { Notice } from '../../../_ui/notice';
import { PageHeader } from '../../../_ui/page-header';
import { requireViewer } from '../../../_viewer';
import { CredentialCard } from '../../credential-card';
import { SecretReveal } from '../../secret-reveal';

export const metadata: Metadata = { title: 'Credential' };

interface Asked {
  params: Promise<{ id: string }>;
  searchParams: SearchParams;
}

export default async function OneCredential({ params, searchParams }: Asked) {
  const { id } = await params;
  const viewer = await requireViewer(paths.dashboardCredential(id));
  const app = await theApp();
  const credential = await findCredential(app, id);
  if (!credential || !memberMay(viewer, credential.customerId, 'credential.read')) notFound();
  const all = await credentialsOfCustomer(app, credential.customerId);
  const predecessor = all.find((each) => each.id === credential.replacesId && each.standing === 'working') ?? null;
  const bound = oneOf((await searchParams).bound) !== undefined;
  return (
    <SecretReveal>
      <PageHeader
        title={credential.label ?? credential.username}
        above={
          <Link href={paths.dashboard()} className="link">
            Your licenses
          </Link>
        }
      />
      {bound && (
        <Notice tone="good" role="status" className="mt-6">
          Done. Wherever this credential is in use, the added licenses install as well: there is nothing to paste.
        </Notice>
      )}
      <div className="mt-8">
        <CredentialCard credential={credential} predecessor={predecessor} viewer={viewer} now={app.clock.now()} />
      </div>
    </SecretReveal>
  );
}
