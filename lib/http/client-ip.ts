import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = [Address, number];

/** CIDR ranges, or single addresses, ready to be matched. What is neither is left out. */
export function parseRanges(list: readonly string[]): AddressRange[] {
  const ranges: AddressRange[] = [];
  for (const item of list) {
    if (ipaddr.isValidCIDR(item)) ranges.push(ipaddr.parseCIDR(item));
    else if (ipaddr.isValid(item))
      ranges.push([ipaddr.process(item), ipaddr.process(item).kind() === 'ipv4' ? 32 : 128]);
  }
  return ranges;
}

export function inRanges(address: string, ranges: readonly AddressRange[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network as never, bits));
}

/**
 * Who is asking. Without trusted proxies the socket's address counts and forwarding headers are nobody's word; behind
 * them it is the last address of X-Forwarded-For that no trusted proxy could have written.
 *
 * @returns an address in its usual form (IPv4 inside IPv6 unwrapped), or null where the socket has none
 */
export function clientIp(
  socketAddress: string | undefined,
  forwardedFor: string | undefined,
  trusted: readonly AddressRange[],
): string | null {
  const socket = usualForm(socketAddress);
  if (!socket || trusted.length === 0 || !forwardedFor || !inRanges(socket, trusted)) return socket;
  const hops = forwardedFor.split(',').map((hop) => hop.trim());
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = usualForm(hops[index]);
    if (!hop) return socket;
    if (!inRanges(hop, trusted) || index === 0) return hop;
  }
  return socket;
}

/** The usual form of an address, without port and zone; null where the text is none. */
export function usualForm(text: string | undefined): string | null {
  if (!text) return null;
  // The common case: plain IPv4, or IPv4 as Node's dual-stack sockets spell it.
  const unwrapped = text.startsWith('::ffff:') ? text.slice(7) : text;
  // Some proxies write the client's port too.
  const plain = unwrapped.replace(/^(\d[\d.]+):\d+$/, '$1');
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(plain)) return ipaddr.IPv4.isValidFourPartDecimal(plain) ? plain : null;
  const bare = text.replace(/^\[|\](:\d+)?$/g, '').replace(/%.*$/, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null;
}

/** What is counted as one place: the address, or its /64 for IPv6, since a home or server has that many. */
export function neighbourhood(address: string): string {
  if (!address.includes(':')) return address;
  const parsed = ipaddr.parse(address);
  return parsed.kind() === 'ipv6'
    ? `${(parsed as ipaddr.IPv6).parts
        .slice(0, 4)
        .map((p) => p.toString(16))
        .join(':')}::/64`
    : address;
}

/** How the front door tells Next the client's address; it overwrites whatever a client sends under this name. */
export const CLIENT_ADDRESS_HEADER = 'x-latchkey-client-address';
