import { parseAddress } from './address.ts';

/** A host that is granted: `api.example.com`, `*.example.com` (below it, not itself), with a port or not. */
export interface HostRule {
  /** Normalised as the host of a URL is; without `*.`. */
  readonly hostname: string;
  readonly isBelow: boolean;
  /** Empty for the default port of the URL's scheme. */
  readonly port: string;
}

/** Parts between single dots, each of which has a character. */
const NAME = /^[^.]+(?:\.[^.]+)*$/;

/** Reads the text of a host that is granted. @throws {TypeError} for what is none. */
export function parseHostRule(text: string): HostRule {
  const isBelow = text.startsWith('*.');
  const port = /:([0-9]{1,5})$/.exec(text)?.[1] ?? '';
  const name = text.slice(isBelow ? 2 : 0, port === '' ? undefined : -(port.length + 1));
  // An IPv6 address outside brackets ends like a port; the URL would not parse with the rest of it.
  const url = `https://${name}:${port === '' ? '443' : port}/`;
  if (!URL.canParse(url) || /[/?#@\\]/.test(name)) throw invalid(text);
  const hostname = withoutTrailingDot(new URL(url).hostname);
  if (isBelow && isAddress(hostname)) throw invalid(text);
  return { hostname, isBelow, port };
}

/** Whether a rule covers the host and port of a URL that {@link normaliseHost} has gone over. */
export function matchesHost({ hostname, isBelow, port }: HostRule, url: URL): boolean {
  const matchesName = isBelow
    ? NAME.test(url.hostname) && url.hostname.endsWith(`.${hostname}`) && !isAddress(url.hostname)
    : url.hostname === hostname;
  return matchesName && (port === '' ? url.port === '' : port === effectivePort(url));
}

/** Takes the trailing dot off the host of a URL: with it or without, it is the same host. */
export function normaliseHost(url: URL): void {
  url.hostname = withoutTrailingDot(url.hostname);
}

/** The host of a URL as it is connected to: an IPv6 address without its brackets. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function effectivePort(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' || url.protocol === 'wss:' ? '443' : '80';
}

function withoutTrailingDot(hostname: string): string {
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

function isAddress(hostname: string): boolean {
  return parseAddress(bareHost(hostname)) !== undefined;
}

function invalid(text: string): TypeError {
  return new TypeError(`expected a host such as api.example.com or *.example.com, got ${text}`);
}
