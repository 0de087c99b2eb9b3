import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { type RefundOffer, refundOffer } from '../../../../lib/billing/refunds';
import { credentialsOfCustomer } from '../../../../lib/credentials/find';
import { memberMay, membershipIn, roleSentence, type Viewer } from '../../../../lib/identity/viewer';
import { formatMoney } from '../../../../lib/kit/money';
import { findLicense, type LicenseView } from '../../../../lib/licenses/find';
import { paths } from '../../../../lib/paths';
import { theApp } from '../../../_app';
import { PageHeader } from '../../../_ui/page-header';
import { Day } from '../../../_ui/time';
import { requireViewer } from '../../../_viewer';
import { CredentialList } from '../../credential-list';
import { LicenseCard } from '../../license-card';
import { RefundLicense } from '../../refund-license';
import { SecretReveal } from '../../secret-reveal';

export const metadata: Metadata = { title: 'License' };

export default async function OneLicense({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const viewer = await requireViewer(paths.dashboardLicense(id));
  const app = await theApp();
  const view = await findLicense(app, id);
  if (!view || !memberMay(viewer, view.license.customerId, 'license.read')) notFound();
  const [credentials, refund] = await Promise.all([
    credentialsOfCustomer(app, view.license.customerId),
    refundOffer(app, id),
  ]);
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
      {refund?.open && <Refund offer={refund} view={view} viewer={viewer} />}
      <h2 className="mt-10 mb-4 font-semibold text-lg">Credentials that open it</h2>
      <CredentialList
        credentials={credentials.filter((each) => each.licenses.some((license) => license.id === id))}
        viewer={viewer}
        app={app}
      />
    </SecretReveal>
  );
}

function Refund({ offer, view, viewer }: { offer: RefundOffer; view: LicenseView; viewer: Viewer }) {
  const { product, packages, license } = view;
  const may = memberMay(viewer, license.customerId, 'purchase.refund');
  return (
    <section aria-labelledby="refund" className="mt-6 flex flex-wrap items-center justify-between gap-4">
      <div>
        <h2 id="refund" className="font-semibold">
          Not what you need?
        </h2>
        <p className="text-ink-soft text-sm">
          You get your money back until <Day at={offer.until} />.
        </p>
      </div>
      <RefundLicense
        licenseId={license.id}
        name={product.name}
        amount={formatMoney(offer.amountMinor, offer.currency)}
        refused={may ? null : roleSentence(membershipIn(viewer, license.customerId))}
      >
        <p>The money goes back the way it came.</p>
        <p>
          This license ends at once: {packages.join(', ')} can no longer be installed or updated with it, on any server.
          What is installed goes on running. This cannot be taken back.
        </p>
      </RefundLicense>
    </section>
  );
}
