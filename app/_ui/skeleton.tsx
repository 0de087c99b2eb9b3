import { cn } from './cn';

/** Stands where something will be, as large as it will be. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn('animate-wait rounded bg-hover', className)} />;
}

/** What a `loading.tsx` shows: the page's heading and a few blocks, and the word for who cannot see them. */
export function PageSkeleton({ blocks = 3 }: { blocks?: number }) {
  const places = Array.from({ length: blocks }, (_, place) => place);
  return (
    <div role="status" className="flex flex-col gap-4">
      <span className="sr-only">Loading</span>
      <Skeleton className="h-9 w-64 max-w-full" />
      <Skeleton className="mb-4 h-5 w-96 max-w-full" />
      {places.map((place) => (
        <Skeleton key={place} className="h-28 w-full" />
      ))}
    </div>
  );
}
