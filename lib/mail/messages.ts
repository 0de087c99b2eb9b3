import type { Secret } from '../kit/secret';

/** One bought or given unit, as its holder reads it. */
export interface LicenseLine {
  licenseId: string;
  productName: string;
  /** One sentence, such as "Updates until 3 May 2027." */
  standing: string;
  /** Composer names that it opens, those to require first. */
  packages: string[];
}

/** A credential whose secret travels in the same mail, sealed until it is rendered. */
export interface NewCredentialLine {
  credentialId: string;
  username: string;
  licenseIds: string[];
  label: string | null;
}

/** One order, one mail: every license of it, and every credential made for it. */
export interface LicenseIssued {
  because: 'purchase' | 'staff' | 'import';
  licenses: LicenseLine[];
  credentials: NewCredentialLine[];
  /** A working credential that the buyer already holds: binding to it leads the mail, since Composer keeps one per host. */
  bindTo: { credentialId: string; username: string; label: string | null } | null;
}

export interface LicenseRefunded {
  licenses: { licenseId: string; productName: string; packages: string[] }[];
  /** In the currency's smallest unit. */
  amountMinor: number;
  currency: string;
  /** RFC 3339. */
  refundedAt: string;
}

/** Told to the account whenever a credential is replaced; the secret is shown to whoever did it, never mailed here. */
export interface CredentialRotated {
  /** The successor. */
  credentialId: string;
  username: string;
  label: string | null;
  replacedUsername: string;
  /** Who did it, as the reader should see it: a mail address, or "the support team". */
  by: string;
  /** RFC 3339. */
  rotatedAt: string;
  /** Until when the old one goes on working, RFC 3339; null where it stopped at once. */
  overlapEndsAt: string | null;
}

export interface SignIn {
  /** RFC 3339. A mail that could not be delivered before is not sent any more. */
  expiresAt: string;
}

interface Addressed {
  to: string;
  customerId: string | null;
  /** Names the occasion within its kind, such as a purchase's id: the same occasion is mailed once, however often it is asked for. */
  dedupeKey: string;
}

/** Every mail of the product. `props` are stored as they are, so they hold nothing secret; `secrets` are stored sealed. */
export type Message = Addressed &
  (
    | {
        kind: 'license-issued';
        props: LicenseIssued;
        /** By credential id, one for each of `props.credentials`. */
        secrets: Record<string, Secret>;
      }
    | { kind: 'license-refunded'; props: LicenseRefunded }
    | { kind: 'credential-rotated'; props: CredentialRotated }
    | {
        kind: 'sign-in';
        props: SignIn;
        /** The whole URL: whoever holds it is signed in. */
        secrets: { link: Secret };
      }
  );

export type MailKind = Message['kind'];
export type MessageOf<K extends MailKind> = Extract<Message, { kind: K }>;
