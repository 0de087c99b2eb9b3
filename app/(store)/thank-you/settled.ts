'use server';

import { isSettled } from '../../../lib/billing/order-status';
import { theApp } from '../../_app';

/** Whether the page has news to show; says nothing else to whoever asks. */
export async function settled(sessionId: unknown): Promise<boolean> {
  return typeof sessionId === 'string' && sessionId.length <= 200 && isSettled(await theApp(), sessionId);
}
