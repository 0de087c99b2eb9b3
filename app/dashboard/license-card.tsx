import Link from 'next/link';
import type { LicenseView } from '../../lib/licenses/find';
import { projectLines } from '../../lib/mail/install-lines';
import { paths } from '../../lib/paths';
import type { Needs } from '../../lib/ports/app';
import { Card, CardBody } from '../_ui/card';
import { CodeBlock, Mono } from '../_ui/code-block';
import { StandingBadge } from '../_ui/standing';
import { Day } from '../_ui/time';

/** One license: what it is, how it stands, what it opens. On its own page the heading says its name already. */
export function LicenseCard({ view, app, linked = true }: { view: LicenseView; app: Needs<'env'>; linked?: boolean }) {
  const { license, product, purchase } = view;
  const lines = projectLines({ appUrl: app.env.appUrl, packages: view.packages });
  const ended = view.standing === 'refunded' || view.standing === 'revoked';
  return (
    <Card aria-label={product.name} className="flex flex-col">
      <CardBody className="flex flex-1 flex-col gap-3">
        {linked ? (
          <div className="flex items-start justify-between gap-3">
            <h3 className="min-w-0 font-semibold text-base">
              <Link href={paths.dashboardLicense(license.id)} className="hover:underline">
                {product.name}
              </Link>
            </h3>
            <StandingBadge standing={view.standing} />
          </div>
        ) : (
          <div>
            <StandingBadge standing={view.standing} />
          </div>
        )}
        <p className="text-sm">{view.sentence}</p>
        <ul className="flex flex-wrap gap-x-4 gap-y-1 text-ink-soft text-sm">
          {view.packages.map((name) => (
            <li key={name}>
              <Mono>{name}</Mono>
            </li>
          ))}
        </ul>
        <p className="text-ink-soft text-sm">
          {purchase ? 'Bought' : 'Issued'} on <Day at={purchase?.paidAt ?? license.issuedAt} />
          {view.refundableUntil && (
            <>
              . Refundable until <Day at={view.refundableUntil} />
            </>
          )}
        </p>
        {!ended && lines.require && (
          <details className="group mt-auto text-sm" open={!linked}>
            <summary className="link w-fit text-ink-soft group-open:mb-3">Add it to a project</summary>
            <CodeBlock
              what={`the lines for ${product.name}`}
              code={[lines.repository, lines.secureHttp, lines.require].filter(Boolean).join('\n')}
            />
          </details>
        )}
      </CardBody>
    </Card>
  );
}
