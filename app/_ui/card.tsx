import type { ComponentProps } from 'react';
import { cn } from './cn';

/** For what is a thing (a license, a credential, a product), not as wrapping paper. */
export function Card({ className, ...rest }: ComponentProps<'section'>) {
  return <section className={cn('rounded border bg-raised', className)} {...rest} />;
}

export function CardHeader({ className, ...rest }: ComponentProps<'div'>) {
  return (
    <div className={cn('flex flex-wrap items-start justify-between gap-x-4 gap-y-2 p-5 pb-0', className)} {...rest} />
  );
}

export function CardBody({ className, ...rest }: ComponentProps<'div'>) {
  return <div className={cn('p-5', className)} {...rest} />;
}

export function CardFooter({ className, ...rest }: ComponentProps<'div'>) {
  return <div className={cn('flex flex-wrap items-center gap-3 border-t px-5 py-3', className)} {...rest} />;
}
