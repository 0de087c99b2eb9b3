/** Every URL of the product as a function; `origin` is APP_URL without a trailing slash. */

const part = encodeURIComponent;

export const paths = {
  home: () => '/',
  product: (slug: string) => `/products/${part(slug)}`,
  checkoutDone: (sessionId: string) => `/thank-you?session_id=${part(sessionId)}`,
  pretendCheckout: (sessionId: string) => `/pretend-checkout/${part(sessionId)}`,
  signIn: (next?: string) => (next ? `/sign-in?next=${part(next)}` : '/sign-in'),
  signInSent: () => '/sign-in/sent',
  signInConfirm: (token: string, email: string, next?: string) =>
    `/sign-in/confirm?token=${part(token)}&email=${part(email)}${next ? `&next=${part(next)}` : ''}`,
  signInCallback: (token: string, email: string, next: string) =>
    `/api/auth/callback/email?${new URLSearchParams({ token, email, callbackUrl: next })}`,
  dashboard: () => '/dashboard',
  dashboardLicense: (id: string) => `/dashboard/licenses/${part(id)}`,
  dashboardCredential: (id: string) => `/dashboard/credentials/${part(id)}`,
  bindCredential: (newCredentialId: string) => `/dashboard/credentials/${part(newCredentialId)}/bind`,
  console: () => '/console',
  consoleAudit: (query?: Record<string, string>) =>
    query && Object.keys(query).length > 0 ? `/console/audit?${new URLSearchParams(query)}` : '/console/audit',
  outbox: () => '/outbox',
  outboxMail: (file: string) => `/outbox/${part(file)}`,
  stripeWebhook: () => '/api/stripe/webhook',

  composerRoot: () => '/composer',
  composerPackages: () => '/composer/packages.json',
  composerMetadata: () => '/composer/p2/%package%.json',
  composerP2: (packageName: string) => `/composer/p2/${packageName}.json`,
  composerP2Dev: (packageName: string) => `/composer/p2/${packageName}~dev.json`,
  composerDist: (packageName: string, versionNormalized: string, sha1: string) =>
    `/composer/dist/${packageName}/${part(versionNormalized)}/${sha1}.zip`,
  composerDownloads: () => '/composer/downloads',
  composerSearch: () => '/composer/search.json',
  composerList: () => '/composer/list.json',
};

/** The absolute form of a path of ours. */
export function absolute(origin: string, path: string): string {
  return origin.replace(/\/+$/, '') + path;
}

/** What Composer matches credentials by: the host, with the port where the URL spells one (composer-protocol.md 4.2). */
export function composerHost(origin: string): string {
  return new URL(origin).host;
}
