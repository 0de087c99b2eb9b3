import { cva, type VariantProps } from 'class-variance-authority';
import Link from 'next/link';
import type { ComponentProps } from 'react';
import { cn } from './cn';

/** For what must look like a button but is something else. */
export const buttonStyle = cva(
  'inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded border font-medium transition-colors ' +
    'disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-not-allowed aria-disabled:opacity-50 ' +
    '[&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      look: {
        /** The one act of the page. */
        primary: 'border-transparent bg-brass text-on-brass hover:bg-brass-hover',
        plain: 'border-line-strong/60 bg-raised text-ink hover:bg-hover',
        quiet: 'border-transparent bg-transparent text-ink hover:bg-hover',
        danger: 'border-transparent bg-danger text-on-danger hover:bg-danger-hover',
      },
      size: {
        sm: 'h-8 px-3 text-sm',
        md: 'h-9 px-4 text-sm',
        lg: 'h-11 px-5 text-base',
        icon: 'size-8 p-0',
      },
    },
    defaultVariants: { look: 'plain', size: 'md' },
  },
);

export type ButtonLook = VariantProps<typeof buttonStyle>;

export function Button({ look, size, className, type = 'button', ...rest }: ComponentProps<'button'> & ButtonLook) {
  return <button type={type} className={cn(buttonStyle({ look, size }), className)} {...rest} />;
}

export function ButtonLink({ look, size, className, ...rest }: ComponentProps<typeof Link> & ButtonLook) {
  return <Link className={cn(buttonStyle({ look, size }), className)} {...rest} />;
}
