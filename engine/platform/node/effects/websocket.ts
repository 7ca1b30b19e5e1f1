import { encodeUtf8 } from '../../../encoding/utf8.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  type Refusal,
  refused,
} from '../../../governance/effect.ts';
import type { WebsocketGrant } from '../../../governance/grants/websocket.ts';
import type { Directive } from '../../../runtime/types.ts';
import { withDeadline } from './network/deadline.ts';
import { createDestinations } from './network/destination.ts';
import { describeFailure } from './network/failure.ts';
import type { NetworkOptions } from './network/guarded-client.ts';
import { bareHost } from './network/host-rule.ts';
import { NetworkRefusal, tooLarge } from './network/network-refusal.ts';
import { trustContext } from './network/pinned-connection.ts';
import { HandshakeFailed, WebsocketConnection } from './network/websocket-connection.ts';
import { WebsocketOperations } from './network/websocket-operations.ts';

/**
 * Performs `websocket_op` under a grant. A connection is its executor's own (name, version and
 * artifact), known by its URL, and stays open between directives until it is closed, until the other
 * side ends it, or until the handler is closed.
 *
 * - `WSConnect` opens it, or keeps the one that is open, and answers `{ connected: true }`.
 * - `WSSend` sends `payload` (text as text, else as JSON; `null` and nothing at all only receive), and
 *   answers `{ sent, received, more?, closed? }`: the bytes sent, and the messages that have arrived
 *   since the last operation, or else arrive within a second: text as text, binary as
 *   `{ "base64": … }`. `more: true` says that others are left for the next operation, `closed:
 *   { code, reason }` that the other side has ended the connection.
 * - `WSClose` closes it and answers `{ closed: { code, reason }, received }`.
 *
 * Messages out and in have at most `messageBytes`; a larger one from the other side ends the connection
 * (1009). The messages of one answer have no more together than that, nor than the budget has left;
 * while as much waits, no more is read from the network. Redirects are not followed. Costs the bytes
 * of messages sent and answered.
 *
 * Refuses with `invalid-request`, `invalid-url`, `userinfo-refused`, `scheme-refused`,
 * `host-not-granted`, `address-refused`, `too-large`, `bytes-exhausted`. Fails with `not-connected`,
 * `connection-closed`, `too-many-connections`, `handshake-failed`, `dns-failed`, `connection-refused`,
 * `unreachable`, `tls-failed`, `connection-reset`, `invalid-response`, `network-error`, `timeout`,
 * `cancelled`.
 * @throws {TypeError} for a host or a block of addresses of the grant that is none.
 */
export function createWebsocketHandler(
  grant: WebsocketGrant,
  { ca, resolve }: NetworkOptions = {},
): EffectHandler {
  const destinations = createDestinations(grant, 'websocket', resolve);
  const operations = new WebsocketOperations(grant);
  const context = trustContext(ca);

  const judge = ({ url, payload }: Operation): URL => {
    const judged = destinations.judge(url);
    const isTooLarge = (payload?.length ?? 0) > grant.messageBytes;
    if (isTooLarge) throw tooLarge('message', grant.messageBytes, false);
    return judged;
  };

  const open = async (url: URL, signal: AbortSignal) => {
    const isSecure = url.protocol === 'wss:';
    const addresses = await destinations.locate(bareHost(url.hostname), isSecure);
    signal.throwIfAborted();
    return WebsocketConnection.open(url, addresses, context, grant.messageBytes, signal);
  };

  const operate = (asked: Operation, url: URL, request: EffectRequest, signal: AbortSignal) => {
    const { executor, artifactHash } = request.caller;
    const use = {
      key: JSON.stringify([executor, artifactHash, url.href]),
      allowedBytes: request.allowance.bytes ?? Number.POSITIVE_INFINITY,
      signal,
    };
    if (asked.operation === 'WSConnect') return operations.connect(use, () => open(url, signal));
    if (asked.operation === 'WSSend') return operations.send(use, asked.payload);
    return operations.close(use);
  };

  return {
    tags: ['websocket_op'],
    capability: 'net.websocket',
    judge: (directive) => {
      const asked = readOperation(directive);
      if ('code' in asked) return asked;
      try {
        judge(asked);
        return undefined;
      } catch (error) {
        return describeFailure(error);
      }
    },
    isRepeatable: ({ operation }) => operation === 'WSConnect',
    perform: async (request) => {
      const asked = readOperation(request.directive);
      if ('code' in asked) return refused(asked.code, asked.message);
      try {
        const url = judge(asked);
        return await withDeadline(request.signal, grant.timeoutMs, (signal) =>
          operate(asked, url, request, signal),
        );
      } catch (error) {
        return outcomeOf(error, asked.payload?.length ?? 0);
      }
    },
    close: async () => operations.end(),
  };
}

interface Operation {
  readonly operation: 'WSConnect' | 'WSSend' | 'WSClose';
  readonly url: string;
  /** As UTF-8; `undefined` where nothing is to be sent. */
  readonly payload: Uint8Array | undefined;
}

function readOperation({ operation, url, payload = null }: Directive): Operation | Refusal {
  const isKnown = operation === 'WSConnect' || operation === 'WSSend' || operation === 'WSClose';
  if (!isKnown || typeof url !== 'string') {
    return { code: 'invalid-request', message: 'a websocket_op needs an operation and a url' };
  }
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const isSent = operation === 'WSSend' && payload !== null;
  return { operation, url, payload: isSent ? encodeUtf8(text) : undefined };
}

/** @param bytes that may have gone out. */
function outcomeOf(error: unknown, bytes: number): EffectOutcome {
  if (error instanceof HandshakeFailed) return failed('handshake-failed', error.message);
  const { code, message } = describeFailure(error);
  return error instanceof NetworkRefusal
    ? refused(code, message)
    : failed(code, message, { bytes });
}
