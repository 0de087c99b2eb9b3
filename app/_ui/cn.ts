import { type ClassValue, clsx } from 'clsx';
import { extendTailwindMerge } from 'tailwind-merge';

// Our sizes and shadows have names of their own; merging must know that `text-ink` is a colour and `text-sm` a size.
const merge = extendTailwindMerge({
  extend: { theme: { text: ['xs', 'sm', 'base', 'lg', 'xl'], shadow: ['float'], radius: ['sm', 'full'] } },
});

/** Class names joined; of two that set the same thing the later wins. */
export function cn(...classes: ClassValue[]): string {
  return merge(clsx(classes));
}
