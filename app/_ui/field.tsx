'use client';

import { createContext, type ReactNode, useContext, useId } from 'react';
import { cn } from './cn';
import { useFormState } from './form';
import { Label } from './label';

interface FieldFacts {
  id: string;
  name: string;
  'aria-describedby': string | undefined;
  'aria-invalid': true | undefined;
}

const FieldContext = createContext<FieldFacts | null>(null);

/** What an input inside a `Field` takes from it. */
export const useField = () => useContext(FieldContext);

/** Label, input, hint, and the sentence of a refusal in the hint's place. The input inside takes its name from here. */
export function Field({
  name,
  label,
  hint,
  className,
  children,
}: {
  name: string;
  label: ReactNode;
  hint?: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  const id = useId();
  const wrong = useFormState().wrong[name];
  const below = wrong ?? hint;
  const facts: FieldFacts = {
    id,
    name,
    'aria-describedby': below ? `${id}-below` : undefined,
    'aria-invalid': wrong ? true : undefined,
  };
  return (
    <FieldContext.Provider value={facts}>
      <div className={cn('flex flex-col gap-2', className)}>
        <Label htmlFor={id}>{label}</Label>
        {children}
        {below && (
          <p id={`${id}-below`} className={cn('text-sm', wrong ? 'text-ended' : 'text-ink-soft')}>
            {below}
          </p>
        )}
      </div>
    </FieldContext.Provider>
  );
}
