import Link from 'next/link';
import type { ReactNode } from 'react';
import type { CredentialView } from '../../lib/credentials/find';
import { memberMay, membershipIn, roleSentence, type Viewer } from '../../lib/identity/viewer';
import { paths } from '../../lib/paths';
import { clientName } from '../_client-name';
import { Badge } from '../_ui/badge';
import { Card } from '../_ui/card';
import { cn } from '../_ui/cn';
import { Mono } from '../_ui/code-block';
import { CopyButton } from '../_ui/copy-button';
import type { Tone } from '../_ui/notice';
import { briefDay, Day, RelativeTime } from '../_ui/time';
import { RotateNow } from './rotate-now';

const STANDINGS: Record<CredentialView['standing'], { word: string; tone: Tone }> = {
  working: { word: 'Works', tone: 'good' },
  revoked: { word: 'Revoked', tone: 'ended' },
  rotated: { word: 'Rotated', tone: 'ended' },
  'overlap-over': { word: 'Replaced', tone: 'ended' },
  expired: { word: 'Expired', tone: 'ended' },
};

const OPENS_NOTHING = { word: 'Opens nothing', tone: 'ended' } as const;

/** One credential: who uses it, what it opens, and its one act. The secret was shown once and is nowhere. */
export function CredentialCard({
  credential,
  predecessor,
  viewer,
  now,
}: {
  credential: CredentialView;
  /** The one it replaces, while that one still works. */
  predecessor: CredentialView | null;
  viewer: Viewer;
  now: Date;
}) {
  const name = credential.label ?? credential.username;
  const works = credential.standing === 'working';
  const { word, tone } = works && !credential.opens ? OPENS_NOTHING : STANDINGS[credential.standing];
  return (
    <Card aria-label={name} className="p-5">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="min-w-0 flex-1 basis-60">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h3 className="min-w-0 break-words font-semibold text-base">
              <Link href={paths.dashboardCredential(credential.id)} className="hover:underline">
                {credential.label ?? openingNames(credential)}
              </Link>
            </h3>
            <Badge tone={tone} dot>
              {word}
            </Badge>
          </div>
          {endSentence(credential)}
        </div>
        {works && credential.opens && !credential.replacedById && (
          <RotateNow
            credentialId={credential.id}
            name={name}
            consequence={consequence(credential, predecessor, now)}
            refused={
              memberMay(viewer, credential.customerId, 'credential.rotate')
                ? null
                : roleSentence(membershipIn(viewer, credential.customerId))
            }
          />
        )}
      </div>
      <dl className="mt-4 grid gap-x-10 gap-y-3 text-sm md:grid-cols-2">
        <Fact name="Username" className="md:row-start-1">
          <span className="flex items-center gap-1">
            <Mono>{credential.username}</Mono>
            {works && <CopyButton text={credential.username} what="the username" className="-my-1.5" />}
          </span>
        </Fact>
        <Fact name="Secret" className="md:row-start-2">
          <span aria-hidden className="mr-3 font-mono tracking-widest">
            ••••••••
          </span>
          <span className="text-ink-soft">
            shown once on <span className="whitespace-nowrap">{briefDay(credential.issuedAt, now)}</span>
          </span>
        </Fact>
        <Fact name="Issued" className="md:col-start-2 md:row-start-1">
          <Day at={credential.issuedAt} />
        </Fact>
        <Fact name="Last used" className="md:col-start-2 md:row-start-2">
          <LastUse credential={credential} now={now} />
        </Fact>
        <Fact name="Opens" className="md:col-span-2 md:row-start-3">
          <ul className="flex flex-wrap gap-2">
            {credential.licenses.map((license) => (
              <li key={license.id} className="min-w-0">
                <Link
                  href={paths.dashboardLicense(license.id)}
                  className="inline-flex min-h-6 items-center gap-1.5 rounded-full border px-2.5 py-0.5 text-xs hover:bg-hover"
                >
                  {license.product}
                  {license.standing !== 'good' && <span className="text-ink-soft">{license.standing}</span>}
                </Link>
              </li>
            ))}
          </ul>
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, className, children }: { name: string; className?: string; children: ReactNode }) {
  return (
    <div className={cn('flex min-w-0 items-baseline gap-4', className)}>
      <dt className="w-18 shrink-0 text-ink-soft">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}

/** `2 hours ago from 203.0.113.7, Composer 2.8, PHP 8.3` */
export function LastUse({ credential, now }: { credential: CredentialView; now: Date }) {
  if (!credential.lastValidatedAt) return <span className="text-ink-soft">never</span>;
  const client = clientName(credential.lastUserAgent);
  return (
    <>
      <RelativeTime at={credential.lastValidatedAt} now={now} />
      {credential.lastUsedIp && (
        <>
          {' '}
          from <Mono>{credential.lastUsedIp}</Mono>
        </>
      )}
      {client && `, ${client}`}
    </>
  );
}

function openingNames(credential: CredentialView): string {
  const names = [...new Set(credential.licenses.map((license) => license.product))];
  const [first, ...others] = names;
  if (!first) return credential.username;
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function endSentence(credential: CredentialView): ReactNode {
  const end = (children: ReactNode) => <p className="mt-2 text-ink-soft text-sm">{children}</p>;
  switch (credential.standing) {
    case 'working':
      if (!credential.opens) return end('Every license that it opened has ended, so nothing can be installed with it.');
      if (credential.replacedById && credential.overlapEndsAt) {
        return end(
          <>
            Replaced; goes on working until <Day at={credential.overlapEndsAt} />.
          </>,
        );
      }
      return credential.expiresAt
        ? end(
            <>
              Ends on <Day at={credential.expiresAt} />, as it was set.
            </>,
          )
        : null;
    case 'rotated':
    case 'revoked':
      return credential.revokedAt
        ? end(
            <>
              Stopped on <Day at={credential.revokedAt} />
              {reasonWords(credential.revokedReason)}.
            </>,
          )
        : null;
    case 'overlap-over':
      return credential.overlapEndsAt
        ? end(
            <>
              Replaced; stopped on <Day at={credential.overlapEndsAt} />.
            </>,
          )
        : null;
    case 'expired':
      return credential.expiresAt
        ? end(
            <>
              Ended on <Day at={credential.expiresAt} />, as it was set.
            </>,
          )
        : null;
  }
}

function reasonWords(reason: string | null): string {
  if (reason === 'rotated') return ', when a new one took its place';
  if (reason === 'combined') return ', when another one took over its licenses';
  return reason ? `: ${reason}` : '';
}

/** What the confirmation says: what stops, and who will notice. */
function consequence(credential: CredentialView, predecessor: CredentialView | null, now: Date): ReactNode {
  return (
    <>
      <p>
        <Mono className="text-ink">{credential.username}</Mono> stops at once, everywhere. You get a new username and
        secret for the same licenses.
      </p>
      <p>
        {credential.lastValidatedAt ? (
          <>
            Last used <LastUse credential={credential} now={now} />: whatever runs there fails until it has the new one.
          </>
        ) : (
          'Nothing has used it yet.'
        )}
      </p>
      {predecessor && (
        <p>
          <Mono className="text-ink">{predecessor.username}</Mono>, which it replaces, stops as well.
        </p>
      )}
    </>
  );
}
