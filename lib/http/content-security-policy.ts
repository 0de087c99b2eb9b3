/**
 * What a page of ours may load and do.
 *
 * @param scripts the inline scripts that may run besides our own files: `'unsafe-inline'`, or `'nonce-…'`
 * @param development lets React's development build evaluate code and its reloads open a socket
 */
export function contentSecurityPolicy(scripts: string, development: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' ${scripts}${development ? " 'unsafe-eval'" : ''}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${development ? ' ws:' : ''}`,
    "frame-src 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "base-uri 'self'",
    // Buy answers a plain form with a redirect to the provider's page, and browsers hold redirects to this list too.
    "form-action 'self' https://checkout.stripe.com",
  ].join('; ');
}
