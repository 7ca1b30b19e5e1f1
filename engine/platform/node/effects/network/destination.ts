import { displayText } from '../../../../encoding/display.ts';
import { createAddressRules, isLoopback, type NetworkAddress, parseAddress } from './address.ts';
import { bareHost, matchesHost, normaliseHost, parseHostRule } from './host-rule.ts';
import { NetworkRefusal } from './network-refusal.ts';
import { type Resolver, systemResolver } from './resolver.ts';

/** What may be connected to. */
export interface DestinationRules {
  /** `api.example.com`, `*.example.com`, each with `:PORT` or for the default port of the scheme. */
  readonly hosts: readonly string[];
  /** CIDR blocks of addresses that may be reached though they are not public. */
  readonly addresses: readonly string[];
  /** Whether anything but a loopback address may be reached without TLS. */
  readonly plainHttp: boolean;
}

/** The kinds of URL that lead to a destination. */
export type Protocols = 'http' | 'websocket';

const PROTOCOLS = {
  http: { plain: 'http:', secure: 'https:' },
  websocket: { plain: 'ws:', secure: 'wss:' },
} as const;

/** More than a resolver answers for an honest name. */
const MAX_ADDRESSES = 256;

const LOCALHOST: NetworkAddress = { address: '127.0.0.1', family: 4 };

/** Judges where a connection may lead, before a name is resolved and after. */
export interface Destinations {
  /**
   * Parses a URL as the WHATWG standard does, and judges all that it tells by itself: scheme, user
   * information, host, port, and the address where the host is one. The fragment is taken off.
   * @throws {NetworkRefusal}
   */
  judge(url: string | URL): URL;
  /**
   * The addresses of the host of a URL that {@link judge} let through, each of which may be connected
   * to. A name is resolved once, by this call; `localhost` and what is below it are 127.0.0.1.
   * @param isSecure whether the connection will speak TLS.
   * @throws {NetworkRefusal} if any address may not be connected to, or not without TLS.
   * @throws what the resolver rejects with.
   */
  locate(hostname: string, isSecure: boolean): Promise<readonly NetworkAddress[]>;
}

/** @throws {TypeError} for a host or a block of addresses that is none. */
export function createDestinations(
  rules: DestinationRules,
  protocols: Protocols,
  resolve: Resolver = systemResolver,
): Destinations {
  const hosts = rules.hosts.map(parseHostRule);
  const addressRules = createAddressRules(rules.addresses);
  const { plain, secure } = PROTOCOLS[protocols];

  const judgeAddresses = (hostname: string, isSecure: boolean, found: NetworkAddress[]) => {
    for (const address of found) {
      const purpose = addressRules.judge(address);
      if (purpose !== undefined) {
        throw new NetworkRefusal(
          'address-refused',
          `"${displayText(hostname)}" has an address that is not public (${purpose}); the grant's "addresses" must name its block`,
        );
      }
    }
    if (!isSecure && !rules.plainHttp && !found.every(isLoopback)) {
      throw new NetworkRefusal(
        'scheme-refused',
        `"${displayText(hostname)}" may not be reached over ${plain} without TLS; use ${secure}`,
      );
    }
  };

  return {
    judge: (text) => {
      const url = parseUrl(text);
      if (url.protocol !== plain && url.protocol !== secure) {
        throw new NetworkRefusal(
          'scheme-refused',
          `the scheme "${displayText(url.protocol, 40)}" is not granted; use ${secure}`,
        );
      }
      if (url.username !== '' || url.password !== '') {
        throw new NetworkRefusal(
          'userinfo-refused',
          `the URL of "${displayText(url.hostname)}" carries a user name or password; leave it out`,
        );
      }
      normaliseHost(url);
      url.hash = '';
      if (!hosts.some((rule) => matchesHost(rule, url))) {
        throw new NetworkRefusal(
          'host-not-granted',
          `the host "${displayText(url.host)}" is not among the hosts of the grant`,
        );
      }
      const known = knownAddress(url.hostname);
      if (known !== undefined) judgeAddresses(url.hostname, url.protocol === secure, [known]);
      return url;
    },

    locate: async (hostname, isSecure) => {
      const known = knownAddress(hostname);
      const found = known === undefined ? await resolveAll(resolve, hostname) : [known];
      judgeAddresses(hostname, isSecure, found);
      return found;
    },
  };
}

/** The address of a host that is told without resolving a name. */
function knownAddress(hostname: string): NetworkAddress | undefined {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return LOCALHOST;
  return parseAddress(bareHost(hostname));
}

async function resolveAll(resolve: Resolver, hostname: string): Promise<NetworkAddress[]> {
  const answers = await resolve(hostname);
  const found = answers.slice(0, MAX_ADDRESSES).map(({ address }) => parseAddress(address));
  const known = found.filter((address) => address !== undefined);
  if (known.length === 0 || known.length < answers.length) {
    throw new NetworkRefusal(
      'address-refused',
      `the name "${displayText(hostname)}" was not resolved to addresses`,
    );
  }
  return known;
}

function parseUrl(text: string | URL): URL {
  try {
    return new URL(text);
  } catch {
    throw new NetworkRefusal(
      'invalid-url',
      `"${displayText(String(text))}" is not an absolute URL`,
    );
  }
}
