'use client';

import {
  type ComponentProps,
  createContext,
  startTransition,
  useActionState,
  useContext,
  useEffect,
  useRef,
} from 'react';
import type { ActionAnswer } from '../../lib/http/action';
import { Button, type ButtonLook } from './button';
import { Notice } from './notice';
import { Spinner } from './spinner';

interface FormState {
  pending: boolean;
  /** Sentences by field name, of the last refusal. */
  wrong: Record<string, string>;
}

const FormContext = createContext<FormState>({ pending: false, wrong: {} });

export const useFormState = () => useContext(FormContext);

/**
 * A form that calls an action made by `lib/http/action`. What was typed stays after a refusal; the refusal's sentence
 * stands above the fields, or at the field it is about. Works before its script has loaded.
 */
export function Form<T>({
  action,
  onDone,
  children,
  ...rest
}: Omit<ComponentProps<'form'>, 'action' | 'onSubmit'> & {
  action: (previous: ActionAnswer<T> | null, form: FormData) => Promise<ActionAnswer<T>>;
  onDone?: (value: T) => void;
}) {
  const [answer, dispatch, pending] = useActionState(action, null);
  const form = useRef<HTMLFormElement>(null);
  const told = useRef<ActionAnswer<T> | null>(null);

  useEffect(() => {
    if (!answer || told.current === answer) return;
    told.current = answer;
    if (answer.ok) onDone?.(answer.value);
    else form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [role="alert"]')?.focus();
  }, [answer, onDone]);

  const refused = answer && !answer.ok ? answer : null;
  return (
    <FormContext.Provider value={{ pending, wrong: refused?.fields ?? {} }}>
      <form
        ref={form}
        action={dispatch}
        onSubmit={(event) => {
          // React empties a form whose action has run, also after a refusal; dispatched by hand it keeps what was typed.
          event.preventDefault();
          const submitter = (event.nativeEvent as SubmitEvent).submitter;
          const filled = new FormData(event.currentTarget, submitter);
          startTransition(() => dispatch(filled));
        }}
        {...rest}
      >
        {refused && Object.keys(refused.fields).length === 0 && (
          <Notice tone="ended" role="alert" tabIndex={-1} className="mb-4">
            {refused.sentence}
          </Notice>
        )}
        {children}
      </form>
    </FormContext.Provider>
  );
}

/** Says what happens; while it happens, `pendingLabel` says that. Never changes its width. */
export function SubmitButton({
  children,
  pendingLabel,
  look = 'primary',
  disabled,
  ...rest
}: ComponentProps<'button'> & ButtonLook & { pendingLabel?: string }) {
  const { pending } = useFormState();
  return (
    <Button type="submit" look={look} aria-disabled={pending || undefined} disabled={disabled} {...rest}>
      <span className="grid items-center justify-items-center [&>*]:col-start-1 [&>*]:row-start-1">
        <span className={`inline-flex items-center gap-2 ${pending ? 'invisible' : ''}`}>{children}</span>
        <span className={`inline-flex items-center gap-2 ${pending ? '' : 'invisible'}`} aria-live="polite">
          <Spinner />
          {pending && pendingLabel}
        </span>
      </span>
    </Button>
  );
}
