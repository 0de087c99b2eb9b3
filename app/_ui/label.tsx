import type { ComponentProps } from 'react';
import { cn } from './cn';

export function Label({ className, ...rest }: ComponentProps<'label'>) {
  // biome-ignore lint/a11y/noLabelWithoutControl: whoever uses it says which control by htmlFor
  return <label className={cn('font-medium text-sm', className)} {...rest} />;
}
