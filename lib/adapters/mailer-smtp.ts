import { createTransport } from 'nodemailer';
import { DomainError, errorMessage } from '../kit/errors';
import type { Secret } from '../kit/secret';
import type { Mailer } from '../ports/mailer';

const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_TIMEOUT_MS = 30_000;

/**
 * Delivers through an SMTP server. SMTP knows no idempotency, so a repeat carries the same Message-ID, by which most
 * mailboxes show it once.
 *
 * @param url `smtp://user:password@host:587` or `smtps://…`
 */
export function smtpMailer(of: { url: Secret; from: string }): Mailer {
  const transport = createTransport({
    url: of.url.reveal(),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^\s>]+)/.exec(of.from)?.[1] ?? 'localhost';
  return {
    name: 'smtp',
    async send({ to, subject, text, html, idempotencyKey }) {
      try {
        const { messageId } = await transport.sendMail({
          from: of.from,
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${idempotencyKey}@${domain}>`,
          // Tells vacation responders that nobody reads answers to it (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        return { providerId: messageId };
      } catch (error) {
        if (isAboutThisMail(error)) throw new MailRefusedBySmtp(errorMessage(error));
        throw error;
      }
    },
  };
}

export class MailRefusedBySmtp extends DomainError {
  constructor(why: string) {
    super('mail-refused', `The mail server refuses this mail: ${why}`);
  }
}

/**
 * A 5xx to the recipient or to the message itself is final (RFC 5321, 4.2.1), as is an address that cannot be written
 * down. A 5xx to the sign-in or to the sender is a setting of ours, and the mail goes out once that is mended.
 */
function isAboutThisMail(error: unknown): boolean {
  const { code, command, responseCode } = error as { code?: unknown; command?: unknown; responseCode?: unknown };
  const final = typeof responseCode === 'number' && responseCode >= 500;
  return (final && (command === 'RCPT TO' || command === 'DATA')) || (code === 'EENVELOPE' && command === 'API');
}
