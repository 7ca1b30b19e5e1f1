import ipaddr from 'ipaddr.js';
import { ServiceRefusal } from './service-refusal.ts';

/** More peers than these are not told apart within one minute: they share what one may ask. */
const MAX_PEERS = 10_000;

const MINUTE = 60_000;

/**
 * Counts what each peer asks for within a minute.
 * @param perMinute requests that a peer may make; those of one /64 of IPv6 count as one peer.
 * @param now milliseconds of a clock that does not go back.
 * @returns is told of a request by an address; throws a {@link ServiceRefusal} `too-many-requests`.
 */
export function createRateLimit(perMinute: number, now: () => number): (address: string) => void {
  let counts = new Map<string, number>();
  let end = now() + MINUTE;
  return (address) => {
    const left = end - now();
    if (left <= 0) {
      counts = new Map();
      end = now() + MINUTE;
    }
    const known = peerOf(address);
    const peer = counts.has(known) || counts.size < MAX_PEERS ? known : '';
    const count = (counts.get(peer) ?? 0) + 1;
    if (count > perMinute) {
      const message = `more than ${perMinute} requests within a minute`;
      throw new ServiceRefusal(429, 'too-many-requests', message, Math.ceil(left / 1_000));
    }
    counts.set(peer, count);
  };
}

function peerOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const ip = ipaddr.process(address); // IPv4 within IPv6 as what it is
  return ip instanceof ipaddr.IPv6 ? ip.parts.slice(0, 4).join(':') : ip.toString();
}
