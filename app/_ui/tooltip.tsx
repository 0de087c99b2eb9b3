'use client';

import { cloneElement, type ReactElement, type ReactNode, useId, useRef, useState } from 'react';

const MARGIN = 8;

/** A word about a control, on hover and on focus. `children` must take focus; nothing may stand only here. */
export function Tooltip({
  says,
  children,
}: {
  says: ReactNode;
  children: ReactElement<{ 'aria-describedby'?: string }>;
}) {
  const id = useId();
  const bubble = useRef<HTMLSpanElement>(null);
  const [shift, setShift] = useState(0);
  const [dismissed, setDismissed] = useState(false);

  // Centred over its control, then moved as far as the window's edges ask.
  const place = () => {
    setDismissed(false);
    const width = bubble.current?.offsetWidth ?? 0;
    const control = bubble.current?.parentElement?.getBoundingClientRect();
    if (!control) return;
    const left = control.left + control.width / 2 - width / 2;
    const most = document.documentElement.clientWidth - MARGIN - width;
    setShift(Math.max(MARGIN, Math.min(left, most)) - left);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only listens for what happens to the control inside
    <span
      className="group/tip relative inline-flex"
      onPointerEnter={place}
      onFocus={place}
      onKeyDown={(event) => event.key === 'Escape' && setDismissed(true)}
    >
      {cloneElement(children, { 'aria-describedby': id })}
      <span
        ref={bubble}
        id={id}
        role="tooltip"
        style={{ transform: `translateX(calc(-50% + ${shift}px))`, display: dismissed ? 'none' : undefined }}
        // Not merely invisible until then: what is laid out past the window's edge makes the page scroll sideways.
        className="pointer-events-none absolute bottom-full left-1/2 z-50 mb-1.5 hidden w-max max-w-64 animate-appear whitespace-normal rounded-sm bg-ink px-2 py-1 text-left font-normal text-ground text-xs shadow-float group-focus-within/tip:block group-hover/tip:block"
      >
        {says}
      </span>
    </span>
  );
}
