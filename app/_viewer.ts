import { cookies } from 'next/headers';
import { notFound, redirect } from 'next/navigation';
import { cache } from 'react';
import type { StaffAction } from '../lib/identity/permissions';
import { sessionCookie } from '../lib/identity/sessions';
import { staffMay, type Viewer, viewerFromToken } from '../lib/identity/viewer';
import { paths } from '../lib/paths';
import { theApp } from './_app';

/** Whoever is signed in, or null; asked of the database once per request, however many parts of a page ask. */
export const currentViewer = cache(async (): Promise<Viewer | null> => {
  const app = await theApp();
  const token = (await cookies()).get(sessionCookie(app))?.value;
  return token ? viewerFromToken(app, token) : null;
});

/**
 * For every guarded page, action and route. A stranger is sent to sign in and comes back to `next`.
 *
 * A guarded page has no `loading.tsx`: once a skeleton has gone out, the answer's status is 200 and stays so.
 */
export async function requireViewer(next: string = paths.dashboard()): Promise<Viewer> {
  return (await currentViewer()) ?? redirect(paths.signIn(next));
}

/** As `requireViewer`; to whoever may not do this the console does not exist. */
export async function requireStaff(action: StaffAction, next: string = paths.console()): Promise<Viewer> {
  const viewer = await requireViewer(next);
  return staffMay(viewer, action) ? viewer : notFound();
}
