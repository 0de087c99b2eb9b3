'use client';

import type { ComponentProps } from 'react';
import { cn } from './cn';
import { useField } from './field';

// 16 px on small screens, or iOS zooms into the field; 14 px where the pages are set in 14.
const box =
  'w-full min-w-0 rounded border border-line-strong bg-raised text-base text-ink placeholder:text-ink-soft sm:text-sm ' +
  'disabled:cursor-not-allowed disabled:opacity-50 aria-invalid:border-ended focus-visible:outline-offset-0';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...useField()} className={cn(box, 'h-10 px-3 sm:h-9', className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea {...useField()} className={cn(box, 'min-h-20 px-3 py-2', className)} {...rest} />;
}

/** The browser's own list: it works with any keyboard, on any phone, and costs nothing. */
export function Select({ className, ...rest }: ComponentProps<'select'>) {
  return <select {...useField()} className={cn(box, 'h-10 px-2 sm:h-9', className)} {...rest} />;
}

export function Checkbox({ className, ...rest }: ComponentProps<'input'>) {
  return <input type="checkbox" className={cn('size-4 shrink-0 accent-brass', className)} {...rest} />;
}
