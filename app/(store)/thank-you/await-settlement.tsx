'use client';

import { useRouter } from 'next/navigation';
import { useEffect, useState } from 'react';
import { Notice } from '../../_ui/notice';
import { Spinner } from '../../_ui/spinner';
import { settled } from './settled';

const QUICK_MS = 1_500;
const SLOW_MS = 6_000;
const QUICK_FOR_MS = 30_000;
const GIVE_UP_MS = 5 * 60_000;

/** Asks until the purchase is stored, then shows the page again; after minutes it says what to do instead. */
export function AwaitSettlement({ sessionId, again }: { sessionId: string; again: string }) {
  const router = useRouter();
  const [waitedLong, setWaitedLong] = useState(false);

  useEffect(() => {
    const since = Date.now();
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    const ask = async () => {
      // Away for a moment is no answer: it is asked again.
      const done = await settled(sessionId).catch(() => false);
      if (stopped) return;
      const waited = Date.now() - since;
      if (done) router.refresh();
      else if (waited > GIVE_UP_MS) setWaitedLong(true);
      else timer = setTimeout(ask, waited < QUICK_FOR_MS ? QUICK_MS : SLOW_MS);
    };
    timer = setTimeout(ask, 500);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [sessionId, router]);

  return (
    <div role="status" className="mt-6">
      {waitedLong ? (
        <Notice tone="warning" title="This takes longer than usual" className="min-h-18">
          Your payment is safe, and the mail goes out once it is confirmed. You may close this page, or{' '}
          <a href={again} className="link">
            look again
          </a>
          .
        </Notice>
      ) : (
        <div className="flex min-h-18 items-start gap-3 rounded bg-notice-soft px-4 py-3 text-sm">
          <Spinner className="mt-0.5 shrink-0 text-notice" />
          <div>
            <p className="font-medium text-notice">Waiting for the payment to be confirmed</p>
            <p className="mt-1">This page changes by itself. You may also close it: the mail comes anyway.</p>
          </div>
        </div>
      )}
    </div>
  );
}
