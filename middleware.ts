import { type NextRequest, NextResponse } from 'next/server';
import { contentSecurityPolicy } from './lib/http/content-security-policy';
import { paths } from './lib/paths';

const sessionCookies = ['next-auth.session-token', '__Secure-next-auth.session-token'];

/**
 * A door, not a lock: whoever brings no session cookie is sent to sign in before a page is made; whether the cookie is
 * worth anything is asked by each page. Secrets are shown behind this door, so its pages run no inline script but
 * those with this answer's nonce.
 */
export function middleware(request: NextRequest) {
  if (!sessionCookies.some((name) => request.cookies.has(name))) {
    const { pathname, search } = request.nextUrl;
    return NextResponse.redirect(new URL(paths.signIn(pathname + search), request.url));
  }
  const nonce = btoa(crypto.randomUUID());
  const policy = contentSecurityPolicy(`'nonce-${nonce}'`, process.env.NODE_ENV === 'development');
  // Next reads the nonce for its own scripts out of the request's policy.
  const headers = new Headers(request.headers);
  headers.set('Content-Security-Policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('Content-Security-Policy', policy);
  return response;
}

// Everything else passes untouched: a matching middleware costs about 2 ms, and /composer must never wait for it.
export const config = { matcher: ['/dashboard/:path*', '/console/:path*'] };
