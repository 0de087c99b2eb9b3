'use server';

import { notFound, redirect } from 'next/navigation';
import { z } from 'zod';
import { refundOffer, refundOrder } from '../../lib/billing/refunds';
import { absorbCredential } from '../../lib/credentials/combine';
import { type CredentialView, findCredential } from '../../lib/credentials/find';
import { rotateCredential } from '../../lib/credentials/rotate';
import { action } from '../../lib/http/action';
import type { MemberAction } from '../../lib/identity/permissions';
import { asMember, memberMay, membershipIn, RoleNotEnough, type Viewer } from '../../lib/identity/viewer';
import { findLicense } from '../../lib/licenses/find';
import { installLines } from '../../lib/mail/install-lines';
import { paths } from '../../lib/paths';
import type { App } from '../../lib/ports/app';
import { theApp } from '../_app';
import { requireViewer } from '../_viewer';

/** A new secret on its one way to the screen; plain data, since it crosses to the browser. */
export interface Revealed {
  username: string;
  secret: string;
  ways: { name: string; where: string; code: string }[];
}

const id = z.string().max(64);

/** Replaces a credential at once and answers with the new secret. */
export const rotateNow = action(theApp, z.object({ credentialId: id }), async (app, asked): Promise<Revealed> => {
  const viewer = await requireViewer();
  const known = await ownCredential(app, viewer, asked.credentialId, 'credential.rotate');
  const { credential, secret } = await rotateCredential(app, {
    credentialId: known.id,
    by: asMember(viewer),
    overlapDays: 0,
  });
  const characters = secret.reveal();
  const lines = installLines({
    appUrl: app.env.appUrl,
    username: credential.username,
    secret: characters,
    packages: [],
  });
  return {
    username: credential.username,
    secret: characters,
    ways: [
      {
        name: 'auth.json',
        where: 'Beside composer.json, or in Composer’s home for every project. Keep it out of version control.',
        code: lines.authJson,
      },
      { name: 'composer config', where: 'Run once; it writes auth.json in Composer’s home.', code: lines.configBasic },
      { name: 'Bearer', where: 'The same with the secret alone, without a username.', code: lines.configBearer },
      {
        name: 'COMPOSER_AUTH',
        where: 'For CI and containers: a protected variable of this name.',
        code: lines.composerAuth,
      },
    ],
  };
});

/** Moves what a new credential opens to one that the customer's servers already have, and ends the new one. */
export const bindToExisting = action(
  theApp,
  z.object({ newId: id, existingId: z.string('Choose the credential that your servers have.').max(64) }),
  async (app, asked): Promise<null> => {
    const viewer = await requireViewer();
    const fresh = await ownCredential(app, viewer, asked.newId, 'credential.combine');
    const existing = await ownCredential(app, viewer, asked.existingId, 'credential.combine');
    if (fresh.id === existing.id || fresh.customerId !== existing.customerId) notFound();
    const by = asMember(viewer);
    await absorbCredential(app, { intoId: existing.id, fromId: fresh.id, by });
    redirect(`${paths.dashboardCredential(existing.id)}?bound=1`);
  },
);

/** Gives the money for one license back, inside its window. */
export const refundLicense = action(theApp, z.object({ licenseId: id }), async (app, { licenseId }): Promise<null> => {
  const viewer = await requireViewer();
  const view = await findLicense(app, licenseId);
  if (!view || !memberMay(viewer, view.license.customerId, 'license.read')) notFound();
  if (!memberMay(viewer, view.license.customerId, 'purchase.refund')) {
    throw new RoleNotEnough(membershipIn(viewer, view.license.customerId));
  }
  const offer = await refundOffer(app, licenseId);
  if (!offer) notFound();
  await refundOrder(app, { purchaseId: offer.purchaseId, licenseIds: [licenseId], by: asMember(viewer) });
  return null;
});

/** A credential of an account that the viewer belongs to; anyone else's does not exist for them. */
async function ownCredential(app: App, viewer: Viewer, wanted: string, to: MemberAction): Promise<CredentialView> {
  const credential = await findCredential(app, wanted);
  if (!credential || !memberMay(viewer, credential.customerId, 'credential.read')) notFound();
  if (!memberMay(viewer, credential.customerId, to)) {
    throw new RoleNotEnough(membershipIn(viewer, credential.customerId));
  }
  return credential;
}
