import type { ReactNode } from 'react';
import { cn } from './cn';
import { CopyButton } from './copy-button';

/** Lines to paste, with their copy button. `what` names them: "Copy auth.json". */
export function CodeBlock({
  code,
  what,
  title,
  className,
}: {
  code: string;
  what: string;
  /** Where the lines belong, above them: `auth.json`. */
  title?: ReactNode;
  className?: string;
}) {
  return (
    <figure className={cn('min-w-0 rounded border bg-sunken', className)}>
      <div className={cn('flex', title && 'flex-col')}>
        {title && (
          <figcaption className="flex h-9 items-center justify-between border-b pr-1 pl-4 text-ink-soft text-xs">
            {title}
            <CopyButton text={code} what={what} />
          </figcaption>
        )}
        <pre className="min-w-0 flex-1 px-4 py-3 text-sm leading-6">
          <code>
            {code.split('\n').map((line, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines are what they are, in their order
              <Line key={place} text={line} />
            ))}
          </code>
        </pre>
        {!title && <CopyButton text={code} what={what} className="m-2" />}
      </div>
    </figure>
  );
}

/** Wraps instead of hiding its end; what is wrapped is indented, so that two commands are never taken for three. */
function Line({ text }: { text: string }) {
  return <span className="block whitespace-pre-wrap pl-4 -indent-4 wrap-anywhere">{text || '\n'}</span>;
}

/** One thing that a machine reads, inside a sentence or a row. */
export function Mono({ className, children }: { className?: string; children: ReactNode }) {
  return <code className={cn('break-all text-[0.94em]', className)}>{children}</code>;
}
