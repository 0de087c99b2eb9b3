'use client';

import type { ReactNode } from 'react';
import { buttonStyle } from '../../_ui/button';
import { Field } from '../../_ui/field';
import { Form, SubmitButton } from '../../_ui/form';
import { Input } from '../../_ui/input';
import { pay } from './pay';

export function PayForm({
  sessionId,
  email,
  cancelUrl,
  amount,
}: {
  sessionId: string;
  email: string;
  cancelUrl: string;
  amount: ReactNode;
}) {
  return (
    <Form action={pay} noValidate className="mt-4 flex flex-col gap-4">
      <input type="hidden" name="session" value={sessionId} />
      <Field name="email" label="Mail address" hint="The mail with the credential stays in the outbox of this machine.">
        <Input type="email" autoComplete="email" defaultValue={email} required />
      </Field>
      <Field name="name" label="Name">
        <Input autoComplete="name" />
      </Field>
      <div className="mt-2 flex flex-col gap-3 sm:flex-row">
        <SubmitButton size="lg" pendingLabel="Paying">
          <span>Pretend to pay {amount}</span>
        </SubmitButton>
        <a href={cancelUrl} className={buttonStyle({ size: 'lg' })}>
          Decline
        </a>
      </div>
    </Form>
  );
}
