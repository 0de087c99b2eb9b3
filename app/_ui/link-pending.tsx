'use client';

import { useLinkStatus } from 'next/link';
import { cn } from './cn';

/**
 * Inside a link: a line under it while its page is being made, for answers that take longer than a moment. Pages have
 * no skeleton of their own, since an answer that has begun cannot become a 404 or a redirect any more.
 */
export function LinkPending() {
  const { pending } = useLinkStatus();
  return (
    <span
      aria-hidden
      className={cn(
        'pointer-events-none absolute inset-x-0 bottom-0 h-0.5 rounded-full bg-focus opacity-0',
        pending && 'animate-wait opacity-100 transition-opacity delay-150',
      )}
    />
  );
}
