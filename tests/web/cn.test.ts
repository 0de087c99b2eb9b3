import { expect, test } from 'vitest';
import { cn } from '../../app/_ui/cn';

test.each([
  ['p-6 bg-raised', 'p-2', 'bg-raised p-2'],
  ['text-sm text-ink', 'text-good', 'text-sm text-good'],
  ['text-sm text-ink', 'text-base', 'text-ink text-base'],
  ['border border-line border-b-2', 'border-ended', 'border border-b-2 border-ended'],
  ['font-mono font-medium', 'font-normal', 'font-mono font-normal'],
  ['h-10 sm:h-9', 'h-12', 'sm:h-9 h-12'],
  ['flex flex-col flex-1', 'gap-2', 'flex flex-col flex-1 gap-2'],
  ['max-w-lg w-full', 'max-w-xl', 'w-full max-w-xl'],
])('of two classes that set the same thing the later wins, and nothing else goes: %s + %s', (ours, theirs, joined) => {
  expect(cn(ours, theirs)).toBe(joined);
});
