'use client';

import { X } from 'lucide-react';
import * as Radix from 'radix-ui/dialog';
import type { ComponentProps, ReactNode } from 'react';
import { Button } from './button';
import { cn } from './cn';

export const Dialog = Radix.Root;
export const DialogTrigger = Radix.Trigger;
export const DialogClose = Radix.Close;

export const veil = 'fixed inset-0 z-40 bg-veil data-[state=open]:animate-appear';

/** In the middle of the page; from the bottom edge where the page is narrow. */
export const floating =
  'fixed inset-x-0 bottom-0 z-50 max-h-[90dvh] overflow-y-auto rounded-t border bg-raised p-6 shadow-float data-[state=open]:animate-rise ' +
  'sm:inset-x-auto sm:top-1/2 sm:bottom-auto sm:left-1/2 sm:w-[calc(100%-2rem)] sm:max-w-lg sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded';

type PanelProps = Omit<ComponentProps<typeof Radix.Content>, 'title'> & {
  title: ReactNode;
  /** One sentence under the title; read out with it. */
  description?: ReactNode;
};

export function DialogPanel({ title, description, className, children, ...rest }: PanelProps) {
  return (
    <Radix.Portal>
      <Radix.Overlay className={veil} />
      <Radix.Content
        {...(description ? {} : { 'aria-describedby': undefined })}
        className={cn(floating, className)}
        {...rest}
      >
        <PanelHead title={title} description={description} />
        {children}
      </Radix.Content>
    </Radix.Portal>
  );
}

const sides = {
  right: 'inset-y-0 right-0 w-full max-w-xl border-l data-[state=open]:animate-from-right',
  bottom: 'inset-x-0 bottom-0 max-h-[92dvh] rounded-t border-t data-[state=open]:animate-rise',
  full: 'inset-0 data-[state=open]:animate-appear',
};

/**
 * A sheet over the page: `right` for a row's facts, `bottom` for small screens' menus, `full` for what wants the whole
 * attention (a secret shown once).
 */
export function SheetPanel({
  title,
  description,
  side = 'right',
  className,
  children,
  ...rest
}: PanelProps & { side?: keyof typeof sides }) {
  return (
    <Radix.Portal>
      <Radix.Overlay className={veil} />
      <Radix.Content
        {...(description ? {} : { 'aria-describedby': undefined })}
        className={cn('fixed z-50 flex flex-col overflow-y-auto bg-raised p-6 shadow-float', sides[side], className)}
        {...rest}
      >
        <PanelHead title={title} description={description} />
        {children}
      </Radix.Content>
    </Radix.Portal>
  );
}

function PanelHead({ title, description }: { title: ReactNode; description?: ReactNode }) {
  return (
    <div className="mb-5 flex items-start justify-between gap-4">
      <div>
        <Radix.Title className="font-semibold text-lg">{title}</Radix.Title>
        {description && <Radix.Description className="mt-1 text-ink-soft text-sm">{description}</Radix.Description>}
      </div>
      <Radix.Close asChild>
        <Button look="quiet" size="icon" aria-label="Close" className="-mt-1 -mr-2">
          <X aria-hidden />
        </Button>
      </Radix.Close>
    </div>
  );
}
