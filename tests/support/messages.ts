import { Secret } from '../../lib/kit/secret';
import type { MessageOf } from '../../lib/mail/messages';

export const A_SECRET = 'lk_live_000000000000000000000000000000004cjNQE';
export const ANOTHER_SECRET = 'lk_live_Zk3fQ0uYw8aVb2RjTn7LhXe5MiCs1DpG0aB9cD';

/** One bought license with its credential; what the test wants different goes over it. */
export function licenseIssued(
  over: Partial<MessageOf<'license-issued'>['props']> = {},
  secrets: Record<string, Secret> = { crd_1: new Secret(A_SECRET) },
): MessageOf<'license-issued'> {
  return {
    kind: 'license-issued',
    to: 'ada@shop.test',
    customerId: null,
    dedupeKey: 'pur_1',
    secrets,
    props: {
      because: 'purchase',
      licenses: [
        {
          licenseId: 'lic_1',
          productName: 'Forms Pro',
          standing: 'Updates until 22 November 2027. What is released by then stays installable for ever.',
          packages: ['acme/forms'],
        },
      ],
      credentials: [{ credentialId: 'crd_1', username: 'lk-forms-pro-k3x9w2ab', licenseIds: ['lic_1'], label: null }],
      bindTo: null,
      ...over,
    },
  };
}

export function licenseRefunded(): MessageOf<'license-refunded'> {
  return {
    kind: 'license-refunded',
    to: 'ada@shop.test',
    customerId: null,
    dedupeKey: 'ref_1',
    props: {
      licenses: [{ licenseId: 'lic_4k0xq2m8v1c7z5t3', productName: 'Forms Pro', packages: ['acme/forms'] }],
      amountMinor: 9_900,
      currency: 'eur',
      refundedAt: '2026-11-22T10:00:00.000Z',
    },
  };
}

export function credentialRotated(overlapEndsAt: string | null = null): MessageOf<'credential-rotated'> {
  return {
    kind: 'credential-rotated',
    to: 'ada@shop.test',
    customerId: null,
    dedupeKey: 'crd_2',
    props: {
      credentialId: 'crd_2',
      username: 'lk-forms-pro-m4t7q0zz',
      label: 'Production',
      replacedUsername: 'lk-forms-pro-k3x9w2ab',
      by: 'grace@shop.test',
      rotatedAt: '2026-11-22T10:00:00.000Z',
      overlapEndsAt,
    },
  };
}

export function signIn(expiresAt = '2026-11-22T10:15:00.000Z'): MessageOf<'sign-in'> {
  return {
    kind: 'sign-in',
    to: 'ada@shop.test',
    customerId: null,
    dedupeKey: 'token-1',
    props: { expiresAt },
    secrets: {
      link: new Secret('http://localhost:3000/sign-in/confirm?token=t0k3n-of-the-link&email=ada%40shop.test'),
    },
  };
}
