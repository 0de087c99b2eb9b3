import { Resend } from 'resend';
import { DomainError } from '../kit/errors';
import type { Secret } from '../kit/secret';
import type { Mailer } from '../ports/mailer';

/** Above what Resend takes on a bad day, below what keeps a worker from its other jobs. */
const TIMEOUT_MS = 30_000;

/**
 * Delivers through Resend. Repeats carry the same Idempotency-Key, which Resend remembers for 24 hours
 * (https://resend.com/docs/dashboard/emails/idempotency-keys).
 *
 * @param apiBase another address of the same API, for a stand-in
 */
export function resendMailer(of: { key: Secret; from: string; apiBase?: string }): Mailer {
  const resend = new Resend(of.key.reveal(), of.apiBase ? { baseUrl: of.apiBase } : {});
  return {
    name: 'resend',
    async send({ to, subject, text, html, idempotencyKey }) {
      const { data, error } = await resend.emails.send(
        { from: of.from, to, subject, text, html },
        { idempotencyKey, signal: AbortSignal.timeout(TIMEOUT_MS) },
      );
      if (!error) return { providerId: data.id };
      // The key was used with another body: an earlier try got through before an upgrade changed a word of the mail.
      if (error.name === 'invalid_idempotent_request') return { providerId: idempotencyKey };
      if (isAboutThisMail(error)) throw new MailRefusedByResend(error.message);
      throw new Error(
        `Resend did not take the mail (${error.statusCode ?? 'no answer'}, ${error.name}): ${error.message}`,
      );
    },
  };
}

export class MailRefusedByResend extends DomainError {
  constructor(why: string) {
    super('mail-refused', `Resend refuses this mail: ${why}`);
  }
}

/**
 * Whether the same request can never succeed. A wrong key, an unverified sender, a quota or an outage are ours or theirs
 * to mend, and the mail then goes out (https://resend.com/docs/api-reference/errors).
 */
function isAboutThisMail({ name, statusCode }: { name: string; statusCode: number | null }): boolean {
  const malformed = statusCode === 400 || statusCode === 422;
  return (
    malformed && (name === 'validation_error' || name === 'invalid_parameter' || name === 'missing_required_field')
  );
}
