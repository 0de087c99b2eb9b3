'use client';

import { useRouter } from 'next/navigation';
import { useEffect } from 'react';

/** Keyboard for the panel: it is read out when it opens, Escape closes it, and focus goes back to the row it came from. */
export function PanelFocus({ back, opener }: { back: string; opener: string }) {
  const router = useRouter();
  useEffect(() => {
    document.getElementById('event-title')?.focus({ preventScroll: true });
    const close = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) router.push(back, { scroll: false });
    };
    window.addEventListener('keydown', close);
    return () => {
      window.removeEventListener('keydown', close);
      document.getElementById(opener)?.focus({ preventScroll: true });
    };
  }, [back, opener, router]);
  return null;
}
