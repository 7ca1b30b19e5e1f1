import { Agent, buildConnector, fetch, type Response as WireResponse } from 'undici';
import { createDestinations, type DestinationRules, type Destinations } from './destination.ts';
import { methodRefused, NetworkRefusal } from './network-refusal.ts';
import { pinnedOptions, trustContext } from './pinned-connection.ts';
import { followRedirect, type Outgoing, redirectTarget } from './redirect.ts';
import type { Resolver } from './resolver.ts';
import { boundedResponse } from './response.ts';
import { type WireLimits, WireMeter } from './wire-meter.ts';

/** What HTTP requests may reach, and how large they and their responses may be. */
export interface NetworkRules extends DestinationRules {
  /** Redirects that are followed at most. */
  readonly redirects: number;
  /** Bytes that a request may have, with its head. */
  readonly requestBytes: number;
  /** Bytes that the body of a response may have, as it comes and once decompressed. */
  readonly responseBytes: number;
}

export interface NetworkOptions {
  /** Authorities to trust beside the well-known ones: certificates in PEM. */
  readonly ca?: string | undefined;
  /** Resolves names in place of the machine's own resolver. */
  readonly resolve?: Resolver | undefined;
}

/** How one request is sent. */
export interface Sending {
  readonly redirect: 'follow' | 'manual' | 'error';
  readonly signal: AbortSignal | undefined;
  readonly meter: WireMeter;
  /** Methods that may be used, also after a redirect changed the method; all unless given. */
  readonly methods?: readonly string[];
}

/** Sends requests under {@link NetworkRules}. */
export interface GuardedClient {
  /** As {@link Destinations.judge}. @throws {NetworkRefusal} */
  judge(url: string | URL): URL;
  meter(totalBytes: number | undefined, onBytes?: (count: number) => void): WireMeter;
  /**
   * Sends a request whose URL was judged, and follows redirects. The response's body is cut off with
   * a {@link NetworkRefusal} where it goes over the limits.
   * @throws {NetworkRefusal}
   * @throws {TypeError} with a cause, where the network or the server fails.
   * @throws the reason of `signal`.
   */
  send(request: Outgoing, sending: Sending): Promise<Response>;
  /** Ends every connection, also those in use. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Bytes that the head of a response, or the trailers after it, may have. */
const MAX_HEAD_BYTES = 16_384;

/** How long a server may be silent, in milliseconds; a signal ends most requests long before. */
const SILENCE_MS = 3_600_000;

/** @throws {TypeError} for a host or a block of addresses that is none. */
export function createGuardedClient(
  rules: NetworkRules,
  { ca, resolve }: NetworkOptions = {},
): GuardedClient {
  const destinations = createDestinations(rules, 'http', resolve);
  const agent = new Agent({
    connect: pinnedConnector(destinations, ca),
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
  });

  const sendOnce = async ({ url, method, headers, body }: Outgoing, sending: Sending) => {
    try {
      return await fetch(url, {
        method,
        headers: [...headers],
        body: body ?? null,
        redirect: 'manual',
        credentials: 'omit',
        signal: sending.signal ?? null,
        dispatcher: agent.compose(sending.meter.interceptor(body?.length ?? 0)),
      });
    } catch (error) {
      throw unwrapRefusal(error, sending.meter);
    }
  };

  const send = async (first: Outgoing, sending: Sending) => {
    let request = first;
    for (let redirects = 0; ; redirects++) {
      if (sending.methods?.includes(request.method) === false) {
        throw methodRefused(request.method, sending.meter.wasSent);
      }
      const response = await sendOnce(request, sending);
      const target = redirectTarget(response);
      if (target === undefined || sending.redirect === 'manual') {
        return boundedResponse(response, request.url, redirects > 0, rules.responseBytes);
      }
      await discard(response);
      if (sending.redirect === 'error') {
        throw new NetworkRefusal('redirect-refused', 'the server redirects elsewhere', true);
      }
      if (redirects >= rules.redirects) throw tooManyRedirects(rules.redirects);
      try {
        request = followRedirect(request, response.status, target, destinations.judge);
      } catch (error) {
        throw unwrapRefusal(error, sending.meter);
      }
    }
  };

  const limits: WireLimits = {
    requestBytes: rules.requestBytes,
    responseBytes: rules.responseBytes,
  };
  return {
    judge: destinations.judge,
    meter: (totalBytes, onBytes) => new WireMeter({ ...limits, totalBytes }, onBytes),
    send,
    close: () => agent.destroy(),
  };
}

/** Connects to the addresses that are judged for each connection, and to no others. */
function pinnedConnector(
  destinations: Destinations,
  ca: string | undefined,
): buildConnector.connector {
  const context = trustContext(ca);
  const connect = async (options: buildConnector.Options, callback: buildConnector.Callback) => {
    try {
      const isSecure = options.protocol === 'https:';
      const addresses = await destinations.locate(options.hostname, isSecure);
      buildConnector({
        ...pinnedOptions(addresses, context),
        timeout: CONNECT_TIMEOUT_MS,
        maxCachedSessions: 0,
      })(options, callback);
    } catch (error) {
      callback(error instanceof Error ? error : new Error('no address'), null);
    }
  };
  return (options, callback) => void connect(options, callback);
}

/** A refusal that came through the library, which hands it on as the cause of its own error. */
function unwrapRefusal(error: unknown, meter: WireMeter): unknown {
  const found = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(found instanceof NetworkRefusal)) return error;
  return meter.wasSent ? found.afterSending() : found;
}

async function discard(response: WireResponse): Promise<void> {
  try {
    await response.body?.cancel();
  } catch {
    // It broke off by itself.
  }
}

function tooManyRedirects(limit: number): NetworkRefusal {
  const message = `more than the ${limit} redirects that are granted`;
  return new NetworkRefusal('too-many-redirects', message, true);
}
