import { longDate } from '../licenses/license';
import { absolute, composerHost, paths } from '../paths';
import type { Reason } from './verdict';

/** Composer shows the first 200 bytes of an error's body at most; ours says it all in fewer. */
export const REFUSAL_BYTES_MAX = 180;

export interface Refusal {
  status: number;
  reason: Reason;
  /** Sentences for the terminal, without a URL; the first that fits is used. */
  sentence: string;
  /** Where to go on, appended where it fits. */
  path?: string;
  headers?: Record<string, string>;
}

/** The body of a refusal: `{"warning":"…"}`, at most 180 bytes, nothing that a terminal would interpret. */
export function refusalBody(appUrl: string, refusal: Pick<Refusal, 'sentence' | 'path'>): Buffer {
  const sentence = printable(refusal.sentence);
  const full = refusal.path ? `${sentence} ${absolute(appUrl, refusal.path)}` : sentence;
  const alone = sentence.replace(/ Details:$/, '').replace(/:$/, '.');
  for (const text of [full, alone]) {
    const body = encode(text);
    if (body.length <= REFUSAL_BYTES_MAX) return body;
  }
  let cut = alone.slice(0, REFUSAL_BYTES_MAX);
  while (encode(`${cut}...`).length > REFUSAL_BYTES_MAX) cut = cut.slice(0, -1);
  return encode(`${cut}...`);
}

function encode(warning: string): Buffer {
  return Buffer.from(JSON.stringify({ warning }));
}

/** Composer's console reads tags between angle brackets; control characters would move the cursor. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}<>]/gu, '');
}

const AUTHENTICATE = { 'WWW-Authenticate': 'Basic realm="Composer repository", charset="UTF-8"' };

export function unauthorized(
  reason: 'no-credential' | 'malformed-credential' | 'wrong-credential',
  appUrl: string,
): Refusal {
  const host = composerHost(appUrl);
  const sentence = {
    'no-credential': `No credential was sent for ${host}. Put the one from your license mail into auth.json.`,
    'malformed-credential': `The credential for ${host} is mistyped or cut off. Copy it again from your license mail.`,
    'wrong-credential': `The credential for ${host} is not known. Check auth.json, or make a new one.`,
  }[reason];
  return { status: 401, reason, sentence, path: paths.dashboard(), headers: AUTHENTICATE };
}

/** A known credential that gives nothing any more, or nothing here. `what` is the package, where one was asked for. */
export function paymentRequired(reason: Reason, since: Date | null, what: string | null): Refusal {
  return { status: 402, reason, sentence: sentenceFor(reason, since, what), path: paths.dashboard() };
}

/** What happened, to what, and what to do; the same words for an archive's refusal and an empty document. */
export function sentenceFor(reason: Reason, since: Date | null, what: string | null): string {
  const on = since ? ` on ${longDate(since)}` : '';
  const of = what ? `${what}: ` : '';
  const the = what ? `${what}: the` : 'The';
  switch (reason) {
    case 'credential-revoked':
      return `This credential was revoked${on}. Use another or make a new one:`;
    case 'credential-rotated':
      return `This credential was replaced${on}. Use its successor:`;
    case 'credential-overlap-over':
      return `This credential was replaced and its overlap ended${on}. Use its successor:`;
    case 'credential-expired':
      return `This credential expired${on}. Make a new one:`;
    case 'address-not-allowed':
      return 'This credential may not be used from this address. Change its list:';
    case 'no-license':
      return 'This credential opens no license. Bind one:';
    case 'license-refunded':
      return `${the} license was refunded${on} and access ended. Details:`;
    case 'license-revoked':
      return `${the} license was revoked${on}. Details:`;
    case 'license-suspended':
      return `${the} license is suspended${since ? ` since ${longDate(since)}` : ''}. Details:`;
    case 'license-lapsed':
      return `${the} license ended${on}. Renew it:`;
    case 'newer-than-term':
      return `${of}published after your updates ended${on}. Older versions stay installable; renew:`;
    case 'outside-constraint':
      return `${of}your license does not include this version. Details:`;
    case 'below-stability':
      return `${of}your license includes more stable versions only. Details:`;
    default:
      return `${of}no license of this credential covers it. Get one:`;
  }
}

export function notFound(reason: 'unknown-package' | 'unknown-version' | 'unknown-path', what: string): Refusal {
  const sentence = {
    'unknown-package': `${what} is not sold here.`,
    'unknown-version': `${what} has no such version here.`,
    'unknown-path': 'There is nothing at this address of the repository.',
  }[reason];
  return { status: 404, reason, sentence };
}

export function gone(what: string, why: string | null): Refusal {
  return {
    status: 410,
    reason: 'withdrawn',
    // The reason is a person's sentence, with or without its full stop.
    sentence: `${what} was withdrawn${why ? `: ${why.replace(/[.\s]+$/, '')}` : ''}. Run composer update for another version.`,
  };
}

export function tooMany(
  reason: 'too-many-wrong-credentials' | 'too-many-requests',
  retryAfterSeconds: number,
): Refusal {
  const sentence =
    reason === 'too-many-requests'
      ? `This credential made too many requests. Try again in ${retryAfterSeconds} s.`
      : `Too many wrong credentials came from this address. Try again in ${retryAfterSeconds} s.`;
  return { status: 429, reason, sentence, headers: { 'Retry-After': String(retryAfterSeconds) } };
}

export function away(reason: 'database-away' | 'archive-away'): Refusal {
  const sentence =
    reason === 'database-away'
      ? 'The repository cannot check credentials right now. Nothing is wrong with yours; try again in a minute.'
      : 'The repository cannot read this archive right now. Try again in a minute.';
  return { status: 503, reason, sentence, headers: { 'Retry-After': '30' } };
}
