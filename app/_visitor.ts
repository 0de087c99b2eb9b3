import { headers } from 'next/headers';
import { CLIENT_ADDRESS_HEADER, usualForm } from '../lib/http/client-ip';
import type { Visitor } from '../lib/identity/sessions';

const USER_AGENT_LENGTH_MAX = 512;

/** Where this request comes from, for the audit log; the front door says the address, by the trusted-proxy rules. */
export async function visitor(): Promise<Visitor> {
  const sent = await headers();
  return {
    ip: usualForm(sent.get(CLIENT_ADDRESS_HEADER) ?? undefined),
    userAgent: sent.get('user-agent')?.slice(0, USER_AGENT_LENGTH_MAX) ?? null,
  };
}
