'use server';

import { redirect } from 'next/navigation';
import { z } from 'zod';
import { openProductCheckout, QUANTITY_MAX } from '../../../../lib/billing/checkout';
import { action } from '../../../../lib/http/action';
import { theApp } from '../../../_app';

const order = z.object({
  slug: z.string().min(1),
  email: z.string().trim().pipe(z.email('Give the mail address that your credential should go to.')),
  quantity: z.coerce
    .number('Give a whole number of licenses.')
    .int('Give a whole number of licenses.')
    .min(1, 'Buy at least one license.')
    .max(QUANTITY_MAX, `Buy at most ${QUANTITY_MAX} licenses at a time.`),
});

export const buy = action(theApp, order, async (app, { slug, email, quantity }) => {
  const { url } = await openProductCheckout(app, { slug, email, quantity });
  return redirect(url);
});
