'use client';

import { useRouter } from 'next/navigation';
import { createContext, lazy, type ReactNode, Suspense, useContext, useEffect, useState } from 'react';
import type { Revealed } from './actions';

/** Fetches what shows a secret. Await it before a secret is made: one that cannot be shown is lost. */
export const readyToReveal = () => import('./secret-sheet');
const Sheet = lazy(readyToReveal);

const Reveal = createContext<(revealed: Revealed) => void>(() => undefined);

/** Shows a new secret on the sheet of the page around. */
export const useReveal = () => useContext(Reveal);

/**
 * Holds a new secret in this page's memory and nowhere else, and shows it on a sheet over everything. It stands above
 * the cards: the one whose button was pressed changes under it.
 */
export function SecretReveal({ children }: { children: ReactNode }) {
  const [revealed, setRevealed] = useState<Revealed | null>(null);
  const [leaving, setLeaving] = useState(false);
  const router = useRouter();

  useEffect(() => {
    if (!revealed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [revealed]);

  const leave = () => {
    setRevealed(null);
    setLeaving(false);
    router.refresh();
  };

  return (
    <Reveal.Provider value={setRevealed}>
      {children}
      {revealed && (
        <Suspense>
          <Sheet revealed={revealed} leaving={leaving} setLeaving={setLeaving} leave={leave} />
        </Suspense>
      )}
    </Reveal.Provider>
  );
}
