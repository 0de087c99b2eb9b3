'use client';

import { type ReactNode, useRef } from 'react';
import { Dialog, SheetPanel } from './dialog';

export interface SheetContent {
  title: ReactNode;
  description?: ReactNode;
  side?: 'right' | 'bottom' | 'full';
  children: ReactNode;
}

/** The part of `Sheet` that is fetched when it is needed. */
export default function SheetBody({
  open,
  onOpenChange,
  children,
  ...head
}: SheetContent & { open: boolean; onOpenChange: (open: boolean) => void }) {
  // The trigger is not Radix's own, so where the focus came from is remembered here.
  const cameFrom = useRef<Element | null>(null);
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <SheetPanel
        {...head}
        onOpenAutoFocus={() => {
          cameFrom.current = document.activeElement;
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
        }}
      >
        {children}
      </SheetPanel>
    </Dialog>
  );
}
