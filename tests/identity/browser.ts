import type { NextApiRequest, NextApiResponse } from 'next';
import NextAuth from 'next-auth';
import { authOptions } from '../../lib/identity/auth';
import type { TestApp } from '../support/test-app';
import { VISITOR } from './support';

interface Answer {
  status: number;
  location: string | null;
  cookies: string[];
  body: unknown;
}

/** A browser that talks to the real next-auth with our options, and keeps its cookies. */
export function aBrowser(app: TestApp) {
  const jar = new Map<string, string>();
  const ask = async (method: 'GET' | 'POST', path: string, body: Record<string, string> = {}): Promise<Answer> => {
    const url = new URL(path, 'http://localhost:3000');
    const answer: Answer = { status: 200, location: null, cookies: [], body: null };
    const response = {
      status: (status: number) => {
        answer.status = status;
        return response;
      },
      getHeader: (name: string) => (name === 'Set-Cookie' ? answer.cookies : undefined),
      setHeader: (name: string, value: string | string[]) => {
        if (name === 'Set-Cookie') answer.cookies = value as string[];
        if (name === 'Location') answer.location = value as string;
        return response;
      },
      end: () => undefined,
      send: (value: unknown) => {
        answer.body = value;
      },
      json: (value: unknown) => {
        answer.body = value;
      },
    };
    const request = {
      method,
      body,
      headers: { host: 'localhost:3000' },
      cookies: Object.fromEntries(jar),
      query: { ...Object.fromEntries(url.searchParams), nextauth: url.pathname.split('/').slice(3) },
    };
    await NextAuth(
      request as unknown as NextApiRequest,
      response as unknown as NextApiResponse,
      authOptions(app, VISITOR),
    );
    for (const cookie of answer.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name) jar.set(name, decodeURIComponent(value ?? ''));
    }
    return answer;
  };
  const csrfToken = async () => ((await ask('GET', '/api/auth/csrf')).body as { csrfToken: string }).csrfToken;
  return {
    jar,
    ask,
    /** What the form of the sign-in page does. */
    askForLink: async (email: string, callbackUrl = '/dashboard') =>
      ask('POST', '/api/auth/signin/email', { email, callbackUrl, csrfToken: await csrfToken() }),
    /** What the button of the confirming page does. */
    confirm: (link: URL, next = '/dashboard') =>
      ask(
        'POST',
        `/api/auth/callback/email?${new URLSearchParams({
          token: link.searchParams.get('token') ?? '',
          email: link.searchParams.get('email') ?? '',
          callbackUrl: next,
        })}`,
      ),
    signOut: async () => ask('POST', '/api/auth/signout', { csrfToken: await csrfToken() }),
  };
}
