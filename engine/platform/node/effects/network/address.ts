import ipaddr from 'ipaddr.js';

/** An IP address as it is connected to: in canonical form. */
export interface NetworkAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** IPv6 addresses that are assigned for global unicast (IANA); all others are for special purposes. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** NAT64 (RFC 6052): an IPv4 address stands in the last four bytes. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/** A public address at which every Azure machine finds its platform: metadata like 169.254.169.254. */
const AZURE_PLATFORM = '168.63.129.16';

/** Judges addresses: which are public, which are granted all the same. */
export interface AddressRules {
  /** Says what an address is that may not be connected to (`private`), `undefined` of one that may. */
  judge(address: NetworkAddress): string | undefined;
}

/**
 * @param granted CIDR blocks of addresses that may be connected to though they are not public.
 * @throws {TypeError} for what is no CIDR block.
 */
export function createAddressRules(granted: readonly string[]): AddressRules {
  const blocks = granted.map(parseBlock);
  const isGranted = (ip: Ip) => blocks.some(([block, bits]) => isIn(ip, block, bits));
  return {
    judge: ({ address }) => {
      const written = ipaddr.parse(address);
      const meant = unwrap(written);
      const purpose = specialPurpose(meant);
      return purpose === undefined || isGranted(meant) || isGranted(written) ? undefined : purpose;
    },
  };
}

/** The canonical form of an IP address as a resolver or a URL writes it; `undefined` for other text. */
export function parseAddress(text: string): NetworkAddress | undefined {
  // The short, octal and hexadecimal forms of IPv4 mean different addresses to different readers.
  const isPlain = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  if (!isPlain) return undefined;
  const ip = ipaddr.parse(text);
  return { address: ip.toString(), family: ip.kind() === 'ipv4' ? 4 : 6 };
}

/** Whether an address is one of this machine alone: 127.0.0.0/8 or ::1, also as IPv4 within IPv6. */
export function isLoopback({ address }: NetworkAddress): boolean {
  return unwrap(ipaddr.parse(address)).range() === 'loopback';
}

/** What an address is for where it is not public (IANA's special-purpose registries, and more). */
function specialPurpose(ip: Ip): string | undefined {
  const range = ip.range();
  if (range !== 'unicast') {
    return range.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  }
  if (ip.kind() === 'ipv6' && !isIn(ip, ...GLOBAL_UNICAST)) return 'reserved';
  return ip.toString() === AZURE_PLATFORM ? 'metadata' : undefined;
}

/** The IPv4 address that an IPv6 address leads to (mapped, or through NAT64); any other as it is. */
function unwrap(ip: Ip): Ip {
  if (ip.kind() === 'ipv6') {
    const bytes = ip.toByteArray();
    const isMapped = ip.range() === 'ipv4Mapped';
    if (isMapped || isIn(ip, ...NAT64)) return new ipaddr.IPv4(bytes.slice(12));
  }
  return ip;
}

function isIn(ip: Ip, block: Ip, bits: number): boolean {
  return ip.kind() === block.kind() && ip.match(block, bits);
}

function parseBlock(text: string): [Ip, number] {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text) && !ipaddr.IPv6.isValidCIDR(text)) {
    throw new TypeError(`expected a block of addresses such as 127.0.0.1/32, got ${text}`);
  }
  return ipaddr.parseCIDR(text);
}
