'use client';

import { Toaster as Sonner, toast } from 'sonner';

/** For what is done and needs no answer. Never for a secret, never for a refusal: those stay where they happened. */
export { toast };

/** Stands once in the layout of the pages that use it. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      theme="system"
      toastOptions={{
        style: {
          background: 'var(--raised)',
          color: 'var(--ink)',
          borderColor: 'var(--line)',
          borderRadius: '8px',
          fontFamily: 'var(--font-geist-sans)',
        },
      }}
    />
  );
}
