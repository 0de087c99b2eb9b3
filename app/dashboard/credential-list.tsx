import type { CredentialView } from '../../lib/credentials/find';
import type { Viewer } from '../../lib/identity/viewer';
import type { Needs } from '../../lib/ports/app';
import { EmptyState } from '../_ui/empty-state';
import { CredentialCard } from './credential-card';

/** Those that work, one under the other; those that ended are kept out of the way. */
export function CredentialList({
  credentials,
  viewer,
  app,
}: {
  credentials: CredentialView[];
  viewer: Viewer;
  app: Needs<'clock'>;
}) {
  const working = credentials.filter((each) => each.standing === 'working');
  const ended = credentials.filter((each) => each.standing !== 'working');
  const cards = (of: CredentialView[]) => (
    <ul className="flex flex-col gap-4">
      {of.map((credential) => (
        <li key={credential.id}>
          <CredentialCard
            credential={credential}
            predecessor={working.find((each) => each.id === credential.replacesId) ?? null}
            viewer={viewer}
            now={app.clock.now()}
          />
        </li>
      ))}
    </ul>
  );
  return (
    <>
      {working.length > 0 ? (
        cards(working)
      ) : (
        <EmptyState title="No credential that works">
          A credential comes with every purchase, by mail. Yours have ended; ask support for a new one.
        </EmptyState>
      )}
      {ended.length > 0 && (
        <details className="group mt-6">
          <summary className="link w-fit text-ink-soft text-sm group-open:mb-4">
            {ended.length === 1 ? 'One that ended' : `${ended.length} that ended`}
          </summary>
          {cards(ended)}
        </details>
      )}
    </>
  );
}
