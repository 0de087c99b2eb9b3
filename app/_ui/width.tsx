import type { ComponentProps } from 'react';
import { cn } from './cn';

export const widths = {
  /** Text, and forms of one column. */
  reading: 'max-w-[680px]',
  /** Store and dashboard. */
  wide: 'max-w-[1040px]',
  /** Console. */
  full: 'max-w-none',
};

/** Centres its content at one of the three widths, with the page's margin around it. */
export function Width({ is, className, ...rest }: ComponentProps<'div'> & { is: keyof typeof widths }) {
  return (
    // The margin stands outside the width: a reading column of 680 is 680 of text.
    <div className="w-full px-4 sm:px-6">
      <div className={cn('mx-auto w-full', widths[is], className)} {...rest} />
    </div>
  );
}
