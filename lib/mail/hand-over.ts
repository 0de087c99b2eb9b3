import { transact } from '../db/transact';
import { errorCode, errorMessage } from '../kit/errors';
import { newId } from '../kit/ids';
import { open } from '../kit/seal';
import { maskSecrets, Secret } from '../kit/secret';
import type { Needs } from '../ports/app';
import type { Message } from './messages';
import { renderMail } from './render';

type World = Needs<'db' | 'clock' | 'env' | 'keys' | 'log' | 'mailer'>;
type Fate = 'handed-over' | 'already' | 'expired' | 'refused';

/**
 * Renders a promised mail and hands it to the mailer, then wipes its secrets. Asked again, it does nothing more; after a
 * crash between the mailer's answer and ours it hands over the same mail under the same key, for the mailer to drop.
 *
 * A mail that can never be delivered (address refused, seal not to be opened) is given up, wiped, and waits for staff. Any
 * other error is thrown, for the queue to try again later.
 */
export async function handOverMail(app: World, mailId: string): Promise<Fate> {
  const mail = await app.db.mail.findUnique({ where: { id: mailId } });
  if (!mail || mail.sentAt || mail.failedAt) return 'already';

  const message = unsealed(app, mail);
  if (!message) {
    await giveUp(app, mail, 'Its secrets cannot be opened: the APP_KEY that sealed them is gone.');
    return 'refused';
  }
  if (message.kind === 'sign-in' && new Date(message.props.expiresAt) <= app.clock.now()) {
    await app.db.mail.update({
      where: { id: mail.id },
      data: { failedAt: app.clock.now(), lastError: 'The link expired before it could be delivered.', sealed: null },
    });
    return 'expired';
  }

  const head = { appUrl: app.env.appUrl, from: app.env.mail.from, createdAt: mail.createdAt };
  const rendered = await renderMail(message, head);
  try {
    const { providerId } = await app.mailer.send({
      ...rendered,
      kind: mail.kind,
      to: mail.to,
      idempotencyKey: mail.id,
    });
    await app.db.mail.update({
      where: { id: mail.id },
      data: { sentAt: app.clock.now(), providerId, sealed: null, lastError: null, attempts: { increment: 1 } },
    });
    app.log.info(`Handed over mail ${mail.id} (${mail.kind})`, { mailId, kind: mail.kind, mailer: app.mailer.name });
    return 'handed-over';
  } catch (error) {
    const sentence = maskSecrets(errorMessage(error));
    if (errorCode(error) === 'mail-refused') {
      await giveUp(app, mail, sentence);
      return 'refused';
    }
    await app.db.mail.update({ where: { id: mail.id }, data: { lastError: sentence, attempts: { increment: 1 } } });
    throw error;
  }
}

interface StoredMail {
  id: string;
  kind: string;
  to: string;
  customerId: string | null;
  dedupeKey: string;
  props: unknown;
  sealed: string | null;
}

/** The message as it was promised; null where its secrets cannot be opened. */
function unsealed(app: Needs<'keys'>, mail: StoredMail): Message | null {
  const { kind, to, customerId, dedupeKey, props } = mail;
  const sealed = mail.sealed === null ? '{}' : open(app.keys, mail.sealed, mail.id);
  if (sealed === null) return null;
  const secrets = Object.fromEntries(
    Object.entries(JSON.parse(sealed) as Record<string, string>).map(([name, text]) => [name, new Secret(text)]),
  );
  // The row was written by sendLater, which takes nothing but a Message.
  return { kind, to, customerId, dedupeKey, props, secrets } as unknown as Message;
}

async function giveUp(app: World, mail: StoredMail, why: string): Promise<void> {
  const lost = mail.sealed !== null && mail.kind === 'license-issued';
  await transact(app, async (tx) => {
    await tx.mail.update({
      where: { id: mail.id },
      data: { failedAt: app.clock.now(), lastError: why, sealed: null, attempts: { increment: 1 } },
    });
    await tx.staffTask.createMany({
      data: [
        {
          id: newId('tsk'),
          kind: 'mail-refused',
          dedupeKey: `mail-refused:${mail.id}`,
          summary: lost
            ? `The credential mail to ${mail.to} cannot be delivered, and its secret is wiped. Correct the address and issue another credential.`
            : `The ${mail.kind} mail to ${mail.to} cannot be delivered. Correct the address and tell the customer another way.`,
          facts: { mailId: mail.id, kind: mail.kind, to: mail.to, why },
          customerId: mail.customerId,
          raisedAt: app.clock.now(),
        },
      ],
      skipDuplicates: true,
    });
  });
  app.log.warn(`Gave up mail ${mail.id} (${mail.kind})`, { mailId: mail.id, kind: mail.kind, why });
}
