'use client';

/**
 * Names what is known: that it failed, that asking did no harm, and the id under which it stands in the log. Every page
 * carries this, so it is made of plain elements.
 */
export default function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = error instanceof Error && 'digest' in error ? String(error.digest) : null;
  return (
    <main id="content" className="mx-auto w-full max-w-[728px] px-4 py-16 sm:px-6">
      <h1 className="font-semibold text-xl tracking-tight">This page could not be made</h1>
      <p className="mt-2 text-ink-soft">
        It failed on our side; looking at a page changes nothing. Try again in a moment. Composer installs go their own
        way and may well work meanwhile.
      </p>
      {digest && (
        <p className="mt-2 text-ink-soft text-sm">
          If it stays, send us this id: <code>{digest}</code>
        </p>
      )}
      <button
        type="button"
        onClick={() => retry()}
        className="mt-6 inline-flex h-9 items-center rounded bg-brass px-4 font-medium text-on-brass text-sm transition-colors hover:bg-brass-hover"
      >
        Try again
      </button>
    </main>
  );
}
