import type { Tx } from '../db/client';
import { enqueue } from '../jobs/queue';
import { newId } from '../kit/ids';
import { seal } from '../kit/seal';
import type { Secret } from '../kit/secret';
import type { Needs } from '../ports/app';
import type { Message } from './messages';

/**
 * Promises a mail in the caller's transaction: it goes out if and only if the change is committed, and once per
 * (kind, dedupeKey). Secrets stand in the row sealed, bound to the mail's id, until it is delivered.
 */
export async function sendLater(app: Needs<'clock' | 'keys'>, tx: Tx, message: Message): Promise<void> {
  const id = newId('mol');
  const { count } = await tx.mail.createMany({
    data: [
      {
        id,
        kind: message.kind,
        to: message.to,
        dedupeKey: `${message.kind}:${message.dedupeKey}`,
        customerId: message.customerId,
        props: { ...message.props } as object,
        sealed: 'secrets' in message ? seal(app.keys, secretsText(message.secrets), id) : null,
        createdAt: app.clock.now(),
      },
    ],
    skipDuplicates: true,
  });
  if (count === 1) await enqueue(tx, 'mail.deliver', { mailId: id });
}

function secretsText(secrets: Record<string, Secret>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()])));
}
