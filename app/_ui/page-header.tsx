import type { ReactNode } from 'react';
import { cn } from './cn';

/** The page's one h1, a sentence under it, and its acts at the right. */
export function PageHeader({
  title,
  above,
  children,
  actions,
  className,
}: {
  title: ReactNode;
  /** Where this page hangs: a link back, or a kind. */
  above?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  className?: string;
}) {
  return (
    <div className={cn('flex flex-wrap items-start justify-between gap-x-6 gap-y-4', className)}>
      <div className="min-w-0">
        {above && <div className="mb-2 text-ink-soft text-sm">{above}</div>}
        <h1 className="font-semibold text-xl tracking-tight">{title}</h1>
        {children && <div className="mt-2 text-ink-soft">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}
