/** A rendered mail, on its way out. */
export interface OutgoingMail {
  kind: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** The same for every try of one mail, so that a provider can drop a repeat. */
  idempotencyKey: string;
}

export interface Mailer {
  readonly name: 'outbox' | 'resend' | 'smtp';
  /**
   * Hands a mail over for delivery.
   *
   * @returns the provider's id for it
   * @throws an error with `code` `mail-refused` where trying again cannot help (bad address), any other error where it may
   */
  send(mail: OutgoingMail): Promise<{ providerId: string }>;
}
