'use client';

import { Menu } from 'lucide-react';
import { usePathname } from 'next/navigation';
import { type ReactNode, useEffect, useState } from 'react';
import { Button } from '../_ui/button';
import { Dialog, DialogTrigger, SheetPanel } from '../_ui/dialog';

/** The rail of a narrow screen: a sheet from the bottom edge, gone once one has arrived somewhere. */
export function ConsoleMenu({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const path = usePathname();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what closes it
  useEffect(() => setOpen(false), [path]);
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button look="quiet" size="icon" aria-label="Menu">
          <Menu aria-hidden />
        </Button>
      </DialogTrigger>
      <SheetPanel side="bottom" title="Console">
        {children}
      </SheetPanel>
    </Dialog>
  );
}
