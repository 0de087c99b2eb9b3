'use client';

import * as Radix from 'radix-ui/alert-dialog';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { ActionAnswer } from '../../lib/http/action';
import { Button, type ButtonLook } from './button';
import { floating, veil } from './dialog';
import { Field } from './field';
import { Form, SubmitButton } from './form';
import { Input } from './input';

export interface Confirmation<T> {
  /** Names the thing. */
  title: ReactNode;
  /** The consequence, and who is affected. */
  children: ReactNode;
  /** What the button says: what happens. */
  act: string;
  acting?: string;
  look?: ButtonLook['look'];
  action: (previous: ActionAnswer<T> | null, form: FormData) => Promise<ActionAnswer<T>>;
  /** Sent along with the act. */
  fields?: Record<string, string>;
  /** Must be typed first; only for what cannot be undone. */
  word?: string;
  onDone?: (value: T) => void;
}

/** The part of `Confirm` that is fetched when it is needed. */
export default function ConfirmPanel({
  open,
  onOpenChange,
  title,
  children,
  act,
  acting,
  look = 'danger',
  action,
  fields = {},
  word,
  onDone,
}: Confirmation<unknown> & { open: boolean; onOpenChange: (open: boolean) => void }) {
  const [typed, setTyped] = useState('');
  // The trigger is not Radix's own, so where the focus came from is remembered here.
  const cameFrom = useRef<Element | null>(null);
  useEffect(() => {
    if (!open) setTyped('');
  }, [open]);

  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={veil} />
        <Radix.Content
          className={floating}
          onOpenAutoFocus={() => {
            cameFrom.current = document.activeElement;
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
          }}
        >
          <Radix.Title className="font-semibold text-lg">{title}</Radix.Title>
          <Radix.Description asChild>
            <div className="mt-2 flex flex-col gap-2 text-ink-soft text-sm">{children}</div>
          </Radix.Description>
          <Form
            action={action}
            className="mt-6"
            onDone={(value) => {
              onOpenChange(false);
              onDone?.(value);
            }}
          >
            {Object.entries(fields).map(([name, value]) => (
              <input key={name} type="hidden" name={name} value={value} />
            ))}
            {word && (
              <Field name="word" label={`Type “${word}” to go on`} className="mb-6">
                <Input autoComplete="off" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
              </Field>
            )}
            <div className="flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">
              <Radix.Cancel asChild>
                <Button>Keep it as it is</Button>
              </Radix.Cancel>
              <SubmitButton look={look} pendingLabel={acting} disabled={word !== undefined && typed !== word}>
                {act}
              </SubmitButton>
            </div>
          </Form>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
