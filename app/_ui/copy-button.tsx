'use client';

import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button';
import { cn } from './cn';

/** Copies `text` and says so in its own place. `what` names it for who cannot see it: "Copy username". */
export function CopyButton({
  text,
  what,
  label = false,
  className,
}: {
  text: string;
  what: string;
  /** Shows the word beside the icon. */
  label?: boolean;
  className?: string;
}) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');

  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2_000);
    return () => clearTimeout(timer);
  }, [state]);

  const said = state === 'copied' ? 'Copied' : state === 'failed' ? 'Select it by hand' : 'Copy';
  return (
    <Button
      look="quiet"
      size={label ? 'sm' : 'icon'}
      className={cn(state === 'copied' && 'text-good', className)}
      aria-label={`Copy ${what}`}
      title={label ? undefined : `Copy ${what}`}
      onClick={() => copy(text).then((done) => setState(done ? 'copied' : 'failed'))}
    >
      {state === 'copied' ? <Check aria-hidden /> : <Copy aria-hidden />}
      {label && <span aria-hidden>{said}</span>}
      <span className="sr-only" aria-live="polite">
        {state === 'idle' ? '' : said}
      </span>
    </Button>
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard is there only on https and localhost; on a plain http host this old way still works.
    const holder = document.createElement('textarea');
    holder.value = text;
    holder.style.position = 'fixed';
    holder.style.opacity = '0';
    const back = document.activeElement;
    // Inside an open dialog, which keeps the focus to itself, only what stands in it can be selected.
    (back?.parentElement ?? document.body).append(holder);
    holder.select();
    const done = document.execCommand('copy');
    holder.remove();
    if (back instanceof HTMLElement) back.focus();
    return done;
  }
}
