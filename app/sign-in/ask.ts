'use server';

import { redirect } from 'next/navigation';
import { z } from 'zod';
import { action } from '../../lib/http/action';
import { parseEmail } from '../../lib/identity/customers';
import { ownPath, requestSignIn } from '../../lib/identity/sign-in';
import { paths } from '../../lib/paths';
import { theApp } from '../_app';
import { visitor } from '../_visitor';

const email = z.string().transform((typed, context) => {
  const parsed = parseEmail(typed);
  if (!parsed)
    context.addIssue({ code: 'custom', message: 'This is no mail address. It looks like name@example.com.' });
  return parsed ?? z.NEVER;
});

/** Open to anyone: it answers everybody alike and mails only those who have a place here. */
export const askForLink = action(theApp, z.object({ email, next: z.string().optional() }), async (app, asked) => {
  await requestSignIn(app, {
    email: asked.email,
    next: ownPath(asked.next, '') || undefined,
    visitor: await visitor(),
  });
  redirect(paths.signInSent());
});
