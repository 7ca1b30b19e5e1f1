import { displayText } from '../../../../encoding/display.ts';
import { NetworkRefusal } from './network-refusal.ts';

/** A request as it goes out. */
export interface Outgoing {
  readonly url: URL;
  /** In capitals where it is one of the standard's own. */
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** Names of headers, in small letters, that no other origin is told, whatever they are. */
  readonly secretHeaders?: ReadonlySet<string>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Headers of a request that describe its body (fetch standard, "request-body-header name"). */
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type'];

/** Headers that another origin gets to see too. Any other may hold a key or a session. */
const HARMLESS_HEADERS = new Set([
  ...BODY_HEADERS,
  'accept',
  'accept-encoding',
  'accept-language',
  'idempotency-key',
  'user-agent',
]);

/** Where a response redirects to, as it is written; `undefined` where it does not. */
export function redirectTarget(response: {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
}): string | undefined {
  return REDIRECTS.has(response.status)
    ? (response.headers.get('location') ?? undefined)
    : undefined;
}

/**
 * The request that follows a redirect (fetch standard, "HTTP-redirect fetch"): after 303, and for a POST
 * after 301 and 302, it is a GET without a body. Another origin is told no header that may be secret.
 * @param judge as the first URL was judged.
 * @throws {NetworkRefusal}
 */
export function followRedirect(
  { url, method, headers, body, secretHeaders = new Set() }: Outgoing,
  status: number,
  target: string,
  judge: (url: URL) => URL,
): Outgoing {
  if (!URL.canParse(target, url)) {
    throw new NetworkRefusal('invalid-url', `redirected to "${displayText(target)}", no URL`, true);
  }
  const next = judge(new URL(target, url));
  const becomesGet =
    (status === 303 && method !== 'GET' && method !== 'HEAD') ||
    ((status === 301 || status === 302) && method === 'POST');
  const kept = new Headers(headers);
  if (becomesGet) for (const name of BODY_HEADERS) kept.delete(name);
  if (next.origin !== url.origin) {
    for (const name of [...kept.keys()]) {
      if (!HARMLESS_HEADERS.has(name) || secretHeaders.has(name)) kept.delete(name);
    }
  }
  return {
    url: next,
    method: becomesGet ? 'GET' : method,
    headers: kept,
    body: becomesGet ? undefined : body,
    secretHeaders,
  };
}
