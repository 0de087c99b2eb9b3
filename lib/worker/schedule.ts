import { retryWaitingNotices } from '../billing/notices';
import { settleLinkedOrders } from '../billing/purchases';
import { MINUTE } from '../kit/clock';
import { errorMessage } from '../kit/errors';
import { maskSecrets } from '../kit/secret';
import type { App } from '../ports/app';

const EVERY_MS = MINUTE;

/**
 * What nobody announces: each looks into the rows for what is due and does it or adds jobs. Every node asks, so each may
 * be asked twice at once, or again with nothing to do.
 */
const DUTIES: Record<string, (app: App) => Promise<unknown>> = {
  'notices that wait for Stripe': retryWaitingNotices,
  'orders whose price was linked': settleLinkedOrders,
};

/** Looks for everything that is due by date, once; a duty that fails keeps none of the others from their turn. */
export async function lookForDueWork(app: App): Promise<void> {
  for (const [duty, look] of Object.entries(DUTIES)) {
    try {
      await look(app);
    } catch (error) {
      const why = maskSecrets(errorMessage(error));
      app.log.warn(`Could not look for ${duty}; the next minute does: ${why}`, { duty });
    }
  }
}

/** Looks at once and then every minute. `stop` waits for the look under way. */
export function startSchedule(app: App): { stop(): Promise<void> } {
  let looking: Promise<void> | null = null;
  const look = () => {
    looking ??= lookForDueWork(app).finally(() => {
      looking = null;
    });
  };
  look();
  const timer = setInterval(look, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
