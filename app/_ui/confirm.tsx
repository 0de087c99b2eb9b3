'use client';

import * as Radix from 'radix-ui/alert-dialog';
import { type ReactElement, type ReactNode, useState } from 'react';
import type { ActionAnswer } from '../../lib/http/action';
import { Button, type ButtonLook } from './button';
import { veil } from './dialog';
import { Field } from './field';
import { Form, SubmitButton } from './form';
import { Input } from './input';

/**
 * Asks before a dangerous act: the title names the thing, `children` say the consequence and who is affected, the
 * button says what happens. `word` must be typed first; only for what cannot be undone.
 */
export function Confirm<T>({
  trigger,
  title,
  children,
  act,
  acting,
  look = 'danger',
  action,
  fields = {},
  word,
  onDone,
}: {
  /** A `Button`. */
  trigger: ReactElement;
  title: ReactNode;
  children: ReactNode;
  act: string;
  acting?: string;
  look?: ButtonLook['look'];
  action: (previous: ActionAnswer<T> | null, form: FormData) => Promise<ActionAnswer<T>>;
  /** Sent along with the act. */
  fields?: Record<string, string>;
  word?: string;
  onDone?: (value: T) => void;
}) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Overlay className={veil} />
        <Radix.Content className="fixed inset-x-0 bottom-0 z-50 max-h-[90dvh] overflow-y-auto rounded-t border bg-raised p-6 shadow-float data-[state=open]:animate-rise sm:inset-x-auto sm:top-1/2 sm:bottom-auto sm:left-1/2 sm:w-[calc(100%-2rem)] sm:max-w-lg sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded">
          <Radix.Title className="font-semibold text-lg">{title}</Radix.Title>
          <Radix.Description asChild>
            <div className="mt-2 flex flex-col gap-2 text-ink-soft text-sm">{children}</div>
          </Radix.Description>
          <Form
            action={action}
            className="mt-6"
            onDone={(value) => {
              setOpen(false);
              setTyped('');
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
