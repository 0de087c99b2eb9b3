import type { ComponentProps } from 'react';
import { cn } from './cn';
import type { Tone } from './notice';

const tones: Record<Tone | 'neutral', string> = {
  neutral: 'bg-hover text-ink-soft',
  good: 'bg-good-soft text-good',
  notice: 'bg-notice-soft text-notice',
  warning: 'bg-warning-soft text-warning',
  ended: 'bg-ended-soft text-ended',
};

/** One word about a thing. `dot` helps the eye down a column; the word carries the meaning. */
export function Badge({
  tone = 'neutral',
  dot = false,
  className,
  children,
  ...rest
}: ComponentProps<'span'> & { tone?: Tone | 'neutral'; dot?: boolean }) {
  return (
    <span
      className={cn(
        'inline-flex h-5 shrink-0 items-center gap-1.5 whitespace-nowrap rounded-full px-2 font-medium text-xs',
        tones[tone],
        className,
      )}
      {...rest}
    >
      {dot && <span aria-hidden className="size-1.5 rounded-full bg-current" />}
      {children}
    </span>
  );
}
