'use client';

import { cloneElement, lazy, type MouseEventHandler, type ReactElement, Suspense, useState } from 'react';
import type { Confirmation } from './confirm-panel';

// The dialog is fetched when somebody reaches for it: most who see the button never press it.
const loadPanel = () => import('./confirm-panel');
const Panel = lazy(loadPanel);

interface TriggerProps {
  onClick?: MouseEventHandler;
  onPointerEnter?: () => void;
  onFocus?: () => void;
  'aria-haspopup'?: 'dialog';
}

/** Asks before a dangerous act. `trigger` is a `Button`. */
export function Confirm<T>({ trigger, ...confirmation }: Confirmation<T> & { trigger: ReactElement<TriggerProps> }) {
  const [open, setOpen] = useState<boolean | null>(null);
  return (
    <>
      {cloneElement(trigger, {
        'aria-haspopup': 'dialog',
        onClick: () => setOpen(true),
        onPointerEnter: loadPanel,
        onFocus: loadPanel,
      })}
      {open !== null && (
        <Suspense>
          <Panel open={open} onOpenChange={setOpen} {...(confirmation as Confirmation<unknown>)} />
        </Suspense>
      )}
    </>
  );
}
