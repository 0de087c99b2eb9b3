'use server';

import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { endSession, sessionCookie } from '../../lib/identity/sessions';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { visitor } from '../_visitor';

/** Ends the session that the browser holds; without one there is nothing to end. */
export async function signOut(): Promise<void> {
  const app = await theApp();
  const jar = await cookies();
  const name = sessionCookie(app);
  const token = jar.get(name)?.value;
  if (token) await endSession(app, { token, visitor: await visitor() });
  // A browser ignores a `__Secure-` cookie that is not set securely, also one that is set to end it.
  jar.set(name, '', { path: '/', maxAge: 0, httpOnly: true, sameSite: 'lax', secure: name.startsWith('__Secure-') });
  redirect(paths.home());
}
