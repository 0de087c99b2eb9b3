import type { ReactNode } from 'react';
import { cn } from './cn';

/** Says what will appear here and how to make it happen, with the button. */
export function EmptyState({
  title,
  children,
  action,
  className,
}: {
  title: ReactNode;
  children: ReactNode;
  action?: ReactNode;
  className?: string;
}) {
  return (
    <div className={cn('flex flex-col items-start gap-2 rounded border border-dashed px-6 py-8', className)}>
      <h2 className="font-medium text-base">{title}</h2>
      <div className="max-w-prose text-ink-soft text-sm">{children}</div>
      {action && <div className="mt-3">{action}</div>}
    </div>
  );
}
