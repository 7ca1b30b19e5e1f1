import { errorCodeOf, machinePath } from '../../../../attestation/exchange.ts';
import { displayText } from '../../../../encoding/display.ts';
import { canonicalBytes } from '../../../../encoding/json.ts';
import type { MachineEntry } from '../../../../governance/grants/machine.ts';
import { createGuardedClient, type NetworkOptions } from '../network/guarded-client.ts';
import { NetworkRefusal, tooLarge } from '../network/network-refusal.ts';

/** A machine that another organisation serves. */
export type RemoteEntry = Extract<MachineEntry, { readonly url: string }>;

/** An answer of another organisation that is none of the protocol, or says that it does nothing. */
export class RemoteRefusal extends Error {
  override readonly name = 'RemoteRefusal';
}

/** Where another organisation serves a machine, for one call. */
export interface RemoteEndpoint {
  /** Bytes that went out and came in so far. */
  readonly bytes: number;
  /**
   * Posts a document, and answers the body of the response.
   * @param maxBytes that the body may have.
   * @throws {RemoteRefusal}
   * @throws as `GuardedClient.send`.
   */
  post(
    what: 'offer' | 'calls',
    document: object,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface EndpointOptions extends NetworkOptions {
  /** A bearer token (RFC 6750). */
  readonly token: string | undefined;
  /** Bytes that both requests and both responses may have together. */
  readonly totalBytes: number | undefined;
  /** Bytes that a response may have. */
  readonly responseBytes: number;
}

/** No request is larger, in bytes: no server takes more. */
const MAX_REQUEST_BYTES = 16_777_216;

/** Bytes of an answer that says why something was not done. */
const MAX_ERROR_BYTES = 65_536;

/**
 * Makes the endpoint of an entry. Only the host of its URL is reached, without redirects, and only at
 * public addresses and those that the entry names.
 */
export function createRemoteEndpoint(
  { url, name, machine = name, addresses }: RemoteEntry,
  { token, totalBytes, responseBytes, ...network }: EndpointOptions,
): RemoteEndpoint {
  const base = new URL(url);
  const limits = { requestBytes: MAX_REQUEST_BYTES, responseBytes };
  const client = createGuardedClient(
    { hosts: [base.host], addresses, plainHttp: false, redirects: 0, ...limits },
    network,
  );
  const meter = client.meter(totalBytes);
  const headers = headersWith(token);
  return {
    get bytes() {
      return meter.bytes;
    },
    post: async (what, document, maxBytes, signal) => {
      const target = new URL(base);
      target.pathname = base.pathname.replace(/\/+$/, '') + machinePath(machine, what);
      target.search = '';
      const response = await client.send(
        {
          url: client.judge(target),
          method: 'POST',
          headers,
          body: new Uint8Array(canonicalBytes(document)),
        },
        { redirect: 'error', signal, meter },
      );
      if (response.status !== 200) throw await refusalOf(response);
      const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/json') {
        await response.body?.cancel().catch(() => undefined);
        throw new RemoteRefusal('its answer is no JSON');
      }
      return readBody(response, maxBytes);
    },
    close: client.close,
  };
}

function headersWith(token: string | undefined): Headers {
  return new Headers({
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': 'touchstone',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  });
}

async function refusalOf(response: Response): Promise<RemoteRefusal> {
  const { status } = response;
  const body = await readBody(response, MAX_ERROR_BYTES).catch((error) => {
    if (error instanceof NetworkRefusal) return new Uint8Array(0);
    throw error;
  });
  const code = errorCodeOf(body);
  return new RemoteRefusal(`it answers ${status}${code ? ` (${displayText(code, 64)})` : ''}`);
}

async function readBody({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.length;
    if (length > maxBytes) throw tooLarge('response', maxBytes, true);
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}
