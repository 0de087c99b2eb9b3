import { CircleAlert, CircleCheck, CircleX, Info } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { cn } from './cn';

export type Tone = 'good' | 'notice' | 'warning' | 'ended';

const looks = {
  good: { icon: CircleCheck, className: 'bg-good-soft text-good' },
  notice: { icon: Info, className: 'bg-notice-soft text-notice' },
  warning: { icon: CircleAlert, className: 'bg-warning-soft text-warning' },
  ended: { icon: CircleX, className: 'bg-ended-soft text-ended' },
} as const;

/** A sentence that matters now, where it matters; `title` leads where there is more to say. */
export function Notice({
  tone = 'notice',
  title,
  className,
  children,
  ...rest
}: Omit<ComponentProps<'div'>, 'title'> & { tone?: Tone; title?: ReactNode }) {
  const { icon: Icon, className: colours } = looks[tone];
  return (
    <div className={cn('flex gap-3 rounded px-4 py-3 text-sm', colours, className)} {...rest}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 flex-1">
        {title && <p className="font-medium">{title}</p>}
        <div className={title ? 'mt-1 text-ink' : 'text-ink'}>{children}</div>
      </div>
    </div>
  );
}
