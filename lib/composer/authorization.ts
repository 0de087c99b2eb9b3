import { Secret, secretForm } from '../kit/secret';

/** What a request shows for itself, read from its Authorization header alone. */
export type Presented =
  | { kind: 'nothing' }
  /** No scheme of ours, broken base64, or a secret with our prefix and a wrong checksum: no database is asked. */
  | { kind: 'malformed'; username: string | null }
  /** Null username: the secret alone must find its row. */
  | { kind: 'ours'; username: string | null; secret: Secret }
  /** Not of our form: possible only for an imported username. */
  | { kind: 'foreign'; username: string; secret: Secret };

/** Usernames are ours or imported from htpasswd; nothing longer was ever either. */
const USERNAME_MAX = 255;

/**
 * Reads Basic (RFC 7617) and Bearer (RFC 6750). The username `token` stands for none: Composer users write it where a
 * field must be filled.
 */
export function readAuthorization(header: string | undefined): Presented {
  if (header === undefined || header === '') return { kind: 'nothing' };
  const space = header.indexOf(' ');
  const scheme = (space < 0 ? header : header.slice(0, space)).toLowerCase();
  const rest = space < 0 ? '' : header.slice(space + 1).trim();
  if (scheme === 'bearer') {
    return secretForm(rest) === 'ours'
      ? { kind: 'ours', username: null, secret: new Secret(rest) }
      : { kind: 'malformed', username: null };
  }
  if (scheme !== 'basic') return { kind: 'malformed', username: null };
  const pair = Buffer.from(rest, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return { kind: 'malformed', username: null };
  const username = pair.slice(0, colon);
  // A NUL would end the text for PostgreSQL; no username has ever held a control character.
  if (username.length > USERNAME_MAX || hasControl(username)) return { kind: 'malformed', username: null };
  const password = pair.slice(colon + 1);
  const named = username === '' || username === 'token' ? null : username;
  switch (secretForm(password)) {
    case 'ours':
      return { kind: 'ours', username: named, secret: new Secret(password) };
    case 'mistyped':
      return { kind: 'malformed', username };
    case 'foreign':
      return named === null || password === ''
        ? { kind: 'malformed', username }
        : { kind: 'foreign', username: named, secret: new Secret(password) };
  }
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
