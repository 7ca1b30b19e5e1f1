import { type EffectOutcome, failed, performed } from '../../../../governance/effect.ts';
import type { WebsocketGrant } from '../../../../governance/grants/websocket.ts';
import { bytesExhausted } from './network-refusal.ts';
import type { WebsocketConnection } from './websocket-connection.ts';
import { WebsocketPool } from './websocket-pool.ts';

/** How long a sent message's answer is waited for, in milliseconds. */
const ANSWER_WAIT_MS = 1_000;

const NOT_CONNECTED = failed('not-connected', 'there is no connection to this URL; connect first');
const CLOSED = failed(
  'connection-closed',
  'the connection was closed; receive what is left by sending nothing, or connect again',
);

/** What an executor does with one of its connections. */
export interface Use {
  /** The connection's owner and URL. */
  readonly key: string;
  /** Bytes that are left of the budget. */
  readonly allowedBytes: number;
  readonly signal: AbortSignal;
}

/** Connects, sends and closes, with the results that `createWebsocketHandler` documents. */
export class WebsocketOperations {
  readonly #grant: WebsocketGrant;
  readonly #pool: WebsocketPool;

  constructor(grant: WebsocketGrant) {
    this.#grant = grant;
    this.#pool = new WebsocketPool(grant.connections);
  }

  /** @throws what `open` rejects with. */
  async connect({ key }: Use, open: () => Promise<WebsocketConnection>): Promise<EffectOutcome> {
    if (await this.#pool.connect(key, open)) return performed({ connected: true });
    return failed(
      'too-many-connections',
      `there are ${this.#grant.connections} connections already; close one first`,
    );
  }

  /**
   * @param payload `undefined` to receive only.
   * @throws {NetworkRefusal} where the budget does not suffice; the error of the socket; the reason of
   *   the signal.
   */
  async send(use: Use, payload: Uint8Array | undefined): Promise<EffectOutcome> {
    const connection = this.#pool.get(use.key);
    if (connection === undefined) return NOT_CONNECTED;
    const sent = payload?.length ?? 0;
    if (sent > use.allowedBytes) throw bytesExhausted(false);
    if (payload !== undefined) {
      if (!connection.isOpen) return CLOSED;
      await connection.send(payload, use.signal);
    }
    await connection.wait(ANSWER_WAIT_MS);
    // What arrives for somebody who is gone stays for who asks next.
    use.signal.throwIfAborted();
    const { messages, bytes, hasMore } = this.#take(connection, use.allowedBytes - sent);
    const closed = hasMore ? undefined : connection.ending;
    if (closed !== undefined) this.#pool.drop(use.key);
    const result = {
      sent,
      received: messages,
      ...(hasMore && { more: true }),
      ...(closed !== undefined && { closed: { ...closed } }),
    };
    return performed(result, { bytes: sent + bytes });
  }

  async close({ key, allowedBytes }: Use): Promise<EffectOutcome> {
    const connection = this.#pool.get(key);
    if (connection === undefined) return NOT_CONNECTED;
    this.#pool.drop(key);
    const { messages, bytes } = this.#take(connection, allowedBytes);
    const closed = await connection.close();
    return performed({ closed: { ...closed }, received: messages }, { bytes });
  }

  /** Ends every connection at once. */
  end(): void {
    this.#pool.close();
  }

  #take(connection: WebsocketConnection, allowedBytes: number) {
    return connection.take(Math.min(this.#grant.messageBytes, allowedBytes));
  }
}
