import type { Prisma } from '../db/generated/client';
import { transact } from '../db/transact';
import { enqueue } from '../jobs/queue';
import { DomainError } from '../kit/errors';
import { storableJson } from '../kit/text';
import type { Needs } from '../ports/app';

export class NoticeOfOtherMode extends DomainError {
  constructor(livemode: boolean) {
    super(
      'notice-of-other-mode',
      livemode
        ? 'This notice is about real money, but the key here is a test key.'
        : 'This notice is about test money, but the key here is a live key.',
    );
  }
}

/** No notice of Stripe's comes near it. */
export const NOTICE_BYTES_MAX = 1_048_576;

/**
 * Stores a notice once and schedules its handling.
 *
 * @returns `'stored'`, or `'seen'` where a notice with this id was already in the inbox
 * @throws code `notice-unreadable` where the signature does not match, or code `notice-of-other-mode`. Nothing is stored then.
 * @see https://docs.stripe.com/webhooks (delivery is at least once, in any order)
 */
export async function receiveNotice(
  app: Needs<'db' | 'clock' | 'payments'>,
  rawBody: Buffer,
  signatureHeader: string,
): Promise<'stored' | 'seen'> {
  const notice = app.payments.verifyNotice(rawBody, signatureHeader);
  if (notice.livemode !== app.payments.livemode) throw new NoticeOfOtherMode(notice.livemode);
  return transact(app, async (tx) => {
    const { count } = await tx.notice.createMany({
      data: [
        {
          id: notice.id,
          type: notice.type,
          apiVersion: notice.apiVersion,
          livemode: notice.livemode,
          objectId: notice.objectId,
          // A notice that could not be stored would come again for days.
          payload: storableJson(notice.payload) as Prisma.InputJsonObject,
          receivedAt: app.clock.now(),
        },
      ],
      skipDuplicates: true,
    });
    if (count === 0) return 'seen';
    await enqueue(tx, 'notice.handle', { noticeId: notice.id }, { key: jobKey(notice.id) });
    return 'stored';
  });
}

export function jobKey(noticeId: string): string {
  return `notice:${noticeId}`;
}
