import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { z } from 'zod';
import { DomainError } from '../kit/errors';
import type { Secret } from '../kit/secret';
import type { VerifiedNotice } from '../ports/payments';

export class NoticeUnreadable extends DomainError {
  constructor(why: string) {
    super('notice-unreadable', `This is no notice of the payment provider: ${why}.`);
  }
}

const noticeBody = z.object({
  id: z.string().regex(/^evt_\w+$/),
  object: z.literal('event'),
  type: z.string().min(1),
  api_version: z.string().nullish(),
  livemode: z.boolean(),
  data: z.object({ object: z.looseObject({ id: z.string().nullish() }) }),
});

/**
 * Reads a notice whose signature fits its raw body and is at most 300 s old by the machine's clock: the signature's time
 * is Stripe's, so the product's own clock has no say in it.
 *
 * @throws {NoticeUnreadable}
 */
export function readNotice(rawBody: Buffer, signatureHeader: string, webhookSecret: Secret): VerifiedNotice {
  let payload: unknown;
  try {
    payload = Stripe.webhooks.constructEvent(rawBody, signatureHeader, webhookSecret.reveal());
  } catch {
    // The SDK's sentence names header and body; which of signature, age and form was wrong helps only a forger.
    throw new NoticeUnreadable('its signature does not match, or is too old');
  }
  const read = noticeBody.safeParse(payload);
  if (!read.success) throw new NoticeUnreadable('its body has another form');
  const { id, type, api_version, livemode, data } = read.data;
  return { id, type, apiVersion: api_version ?? null, livemode, objectId: data.object.id ?? null, payload };
}

/** The `Stripe-Signature` header for a body sent at an instant. https://docs.stripe.com/webhooks/signature */
export function signNotice(body: string, at: Date, webhookSecret: Secret): string {
  const seconds = Math.floor(at.getTime() / 1_000);
  const mac = createHmac('sha256', webhookSecret.reveal()).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${mac}`;
}
