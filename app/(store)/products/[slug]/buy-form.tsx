'use client';

import { Field } from '../../../_ui/field';
import { Form, SubmitButton } from '../../../_ui/form';
import { Input } from '../../../_ui/input';
import { buy } from './buy';

export function BuyForm({ slug }: { slug: string }) {
  return (
    <Form action={buy} noValidate className="mt-5 flex flex-col gap-4 border-t pt-5">
      <input type="hidden" name="slug" value={slug} />
      <Field name="email" label="Mail address" hint="Your credential is sent here.">
        <Input type="email" autoComplete="email" placeholder="you@shop.example" required />
      </Field>
      <Field name="quantity" label="Licenses" hint="One for each shop.">
        <Input
          type="number"
          inputMode="numeric"
          min={1}
          max={50}
          defaultValue={1}
          required
          className="w-24 tabular-nums"
        />
      </Field>
      <SubmitButton size="lg" pendingLabel="Opening" className="w-full">
        Go to payment
      </SubmitButton>
    </Form>
  );
}
