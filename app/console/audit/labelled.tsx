import type { ReactNode } from 'react';
import { cn } from '../../_ui/cn';

/** A field of a filter bar: a small label, no hint, no refusal. */
export function Labelled({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is its child
    <label className={cn('flex min-w-0 flex-col gap-1', className)}>
      <span className="truncate text-ink-soft text-xs">{label}</span>
      {children}
    </label>
  );
}
