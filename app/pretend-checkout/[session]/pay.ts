'use server';

import { redirect } from 'next/navigation';
import { z } from 'zod';
import { payPretendCheckout } from '../../../lib/billing/pretend';
import { action } from '../../../lib/http/action';
import { theApp } from '../../_app';

const payment = z.object({
  session: z.string().min(1),
  email: z.string().trim().pipe(z.email('Give a mail address; it may be an invented one.')),
  name: z.string().trim().max(200, 'A name has at most 200 characters.'),
});

export const pay = action(theApp, payment, async (app, { session, email, name }) => {
  const { returnUrl } = await payPretendCheckout(app, session, { email, name: name || null });
  return redirect(returnUrl);
});
