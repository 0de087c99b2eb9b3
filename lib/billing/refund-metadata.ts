import { type Actor, actorText } from '../audit/events';

/** What our own refund buttons write into a refund's metadata; a person at Stripe's dashboard may write the same. */
const LICENSES_KEY = 'license_ids';
const REQUESTED_BY_KEY = 'requested_by';

/** A metadata value holds 500 characters (https://docs.stripe.com/api/metadata), an id of ours 20. */
const IDS_PER_VALUE = 23;

/** `license_ids`, then `license_ids_2`, … for long orders. An empty list names nothing: the whole order. */
export function refundMetadata(licenseIds: readonly string[], by: Actor): Record<string, string> {
  const metadata: Record<string, string> = { [REQUESTED_BY_KEY]: actorText(by) };
  for (let start = 0; start < licenseIds.length; start += IDS_PER_VALUE) {
    const key = start === 0 ? LICENSES_KEY : `${LICENSES_KEY}_${start / IDS_PER_VALUE + 1}`;
    metadata[key] = licenseIds.slice(start, start + IDS_PER_VALUE).join(',');
  }
  return metadata;
}

/** The license ids that a refund names, separated by commas or spaces. */
export function namedLicenses(metadata: Record<string, string>): string[] {
  const lists = Object.entries(metadata).filter(([key]) => key === LICENSES_KEY || key.startsWith(`${LICENSES_KEY}_`));
  const ids = lists.flatMap(([, list]) => list.match(/lic_[0-9a-z]+/g) ?? []);
  return [...new Set(ids)].sort();
}

/** Who pressed the button, or null where it was nobody of ours. */
export function requestedBy(metadata: Record<string, string>): Actor | null {
  const [, kind, userId] = /^(staff|member):(usr_[0-9a-z]+)$/.exec(metadata[REQUESTED_BY_KEY] ?? '') ?? [];
  if (userId) return { kind: kind === 'staff' ? 'staff' : 'member', userId };
  return metadata[REQUESTED_BY_KEY] === 'cli' ? { kind: 'cli' } : null;
}
