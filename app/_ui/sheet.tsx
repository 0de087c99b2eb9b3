'use client';

import { cloneElement, lazy, type MouseEventHandler, type ReactElement, Suspense, useState } from 'react';
import type { SheetContent } from './sheet-body';

// As with `Confirm`: the dialog is fetched when somebody reaches for it.
const loadBody = () => import('./sheet-body');
const Body = lazy(loadBody);

interface TriggerProps {
  onClick?: MouseEventHandler;
  onPointerEnter?: () => void;
  onFocus?: () => void;
  'aria-haspopup'?: 'dialog';
  'aria-expanded'?: boolean;
}

/** A sheet over the page that its `trigger`, a `Button`, opens. Whoever needs it closed from outside holds `open`. */
export function Sheet({
  trigger,
  open,
  onOpenChange,
  ...content
}: SheetContent & {
  trigger: ReactElement<TriggerProps>;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const [asked, setAsked] = useState(open);
  return (
    <>
      {cloneElement(trigger, {
        'aria-haspopup': 'dialog',
        'aria-expanded': open,
        onClick: () => {
          setAsked(true);
          onOpenChange(true);
        },
        onPointerEnter: loadBody,
        onFocus: loadBody,
      })}
      {asked && (
        <Suspense>
          <Body open={open} onOpenChange={onOpenChange} {...content} />
        </Suspense>
      )}
    </>
  );
}
