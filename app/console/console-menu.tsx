'use client';

import { Menu } from 'lucide-react';
import { usePathname } from 'next/navigation';
import { type ReactNode, useEffect, useState } from 'react';
import { Button } from '../_ui/button';
import { Sheet } from '../_ui/sheet';

/** The rail of a narrow screen: a sheet from the bottom edge, gone once one has arrived somewhere. */
export function ConsoleMenu({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const path = usePathname();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what closes it
  useEffect(() => setOpen(false), [path]);
  return (
    <Sheet
      open={open}
      onOpenChange={setOpen}
      side="bottom"
      title="Console"
      trigger={
        <Button look="quiet" size="icon" aria-label="Menu">
          <Menu aria-hidden />
        </Button>
      }
    >
      {children}
    </Sheet>
  );
}
