import { MINUTE } from '../kit/clock';
import type { Needs } from '../ports/app';
import type { GateEvent, Journal } from '../ports/journal';

export interface ThrottledCounter {
  /** Counts a request that was answered 429; costs no write of its own. `address`: whom the limit is for (IPv6: the /64). */
  note(event: GateEvent, address?: string | null): void;
  /** Writes what is counted so far; call it before the journal closes. */
  flush(): void;
}

/** Above this many addresses in one minute the oldest count is written early, which bounds the memory. */
const ADDRESSES_MAX = 10_000;

/**
 * Requests over a limit become one event per address and minute, with `count`: whoever floods the gate must not
 * flood its log. The event is written when its minute is over, so `kill -9` loses at most a minute of these counts, and
 * nothing else.
 */
export function countThrottled(world: Needs<'clock' | 'log'> & { journal: Journal }): ThrottledCounter {
  const counts = new Map<string, { first: GateEvent; count: number; minute: number }>();
  let timer: NodeJS.Timeout | null = null;

  const write = (key: string) => {
    const counted = counts.get(key);
    if (!counted) return;
    counts.delete(key);
    world.journal.append({ ...counted.first, count: counted.count }, (error) => {
      if (error) world.log.warn('A count of throttled requests could not be written', { count: counted.count });
    });
  };
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    for (const key of [...counts.keys()]) write(key);
  };

  return {
    note(event, address = event.ip) {
      const key = address ?? '';
      const minute = Math.floor(world.clock.now().getTime() / MINUTE);
      const counted = counts.get(key);
      if (counted?.minute === minute) {
        counted.count += 1;
        return;
      }
      write(key);
      if (counts.size >= ADDRESSES_MAX) write(counts.keys().next().value ?? key);
      const first = { ...event, verdict: 'refused', reason: event.reason ?? 'too-many-requests' } as const;
      counts.set(key, { first, count: 1, minute });
      timer ??= setTimeout(flush, MINUTE - (world.clock.now().getTime() % MINUTE)).unref();
    },
    flush,
  };
}
