'use client';

import {
  cloneElement,
  lazy,
  type MouseEventHandler,
  type ReactElement,
  type ReactNode,
  Suspense,
  useState,
} from 'react';
import type { ActionAnswer } from '../../lib/http/action';
import type { ButtonLook } from './button';

// The dialog is fetched when somebody reaches for it: most who see the button never press it.
const loadPanel = () => import('./confirm-panel');
const Panel = lazy(loadPanel);

export interface Confirmation<T> {
  /** Names the thing. */
  title: ReactNode;
  /** The consequence, and who is affected. */
  children: ReactNode;
  /** What the button says: what happens. */
  act: string;
  acting?: string;
  look?: ButtonLook['look'];
  action: (previous: ActionAnswer<T> | null, form: FormData) => Promise<ActionAnswer<T>>;
  /** Sent along with the act. */
  fields?: Record<string, string>;
  /** Must be typed first; only for what cannot be undone. */
  word?: string;
  onDone?: (value: T) => void;
}

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
