import type { SecureContext } from 'node:tls';
import WebSocket from 'ws';
import { displayText } from '../../../../encoding/display.ts';
import type { JsonValue } from '../../../../encoding/json.ts';
import type { NetworkAddress } from './address.ts';
import { pinnedOptions } from './pinned-connection.ts';

/** How a connection ended: the code of RFC 6455, section 7.4, and what the other side gave as reason. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** Messages that were taken out of the inbox. */
export interface Received {
  /** Text as text, binary as `{ base64 }`, in the order in which they came. */
  readonly messages: readonly JsonValue[];
  readonly bytes: number;
  /** Whether there are more that were not taken. */
  readonly hasMore: boolean;
}

interface Message {
  readonly value: JsonValue;
  readonly bytes: number;
}

/** The other side did not open the connection as RFC 6455 demands. */
export class HandshakeFailed extends Error {
  override readonly name = 'HandshakeFailed';
}

/** Bytes that the head of the response to the handshake may have. */
const MAX_HEAD_BYTES = 16_384;

/** How long the other side may take to answer the closing handshake. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Messages that one call of {@link WebsocketConnection.take} answers at most. */
const MAX_MESSAGES = 1_000;

/** No status was received (RFC 6455, section 7.4.1). */
const ABNORMAL = 1006;
const TOO_LARGE = 1009;

/**
 * An open WebSocket that keeps what arrives in an inbox. When the inbox holds as much as one message
 * may have, nothing more is read from the network until some is taken.
 */
export class WebsocketConnection {
  readonly #socket: WebSocket;
  readonly #maxBytes: number;
  readonly #inbox: Message[] = [];
  readonly #waiting = new Set<() => void>();
  #inboxBytes = 0;
  #ending: Ending | undefined;

  private constructor(socket: WebSocket, maxBytes: number) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    socket.on('message', (data: Buffer, isBinary) => this.#put(data, isBinary));
    socket.on('close', (code, reason) => this.#end({ code, reason: reason.toString() }));
  }

  /**
   * Opens a connection to one of `addresses`. Redirects are not followed, nothing is compressed.
   * @param messageBytes that a message may have; a larger one ends the connection.
   * @throws {HandshakeFailed}, the error of the socket, or the reason of `signal`.
   */
  static open(
    url: URL,
    addresses: readonly NetworkAddress[],
    context: SecureContext | undefined,
    messageBytes: number,
    signal: AbortSignal,
  ): Promise<WebsocketConnection> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, socketOptions(addresses, context, messageBytes));
      const connection = new WebsocketConnection(socket, messageBytes);
      const abort = () => {
        reject(signal.reason);
        socket.terminate();
      };
      signal.addEventListener('abort', abort, { once: true });
      socket.once('open', () => {
        signal.removeEventListener('abort', abort);
        resolve(connection);
      });
      socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
        reject(new HandshakeFailed(`the server answered ${statusCode} instead of opening`));
        socket.terminate();
      });
      socket.on('error', (error) => {
        signal.removeEventListener('abort', abort);
        reject(handshakeError(error));
        connection.#fail(error);
      });
    });
  }

  /** Whether something can be sent. */
  get isOpen(): boolean {
    return this.#ending === undefined && this.#socket.readyState === WebSocket.OPEN;
  }

  /** How it ended; `undefined` while more may arrive. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /**
   * Sends a text, given as UTF-8, and waits until it is handed to the network. Where `signal` aborts before, nobody
   * knows what the other side got, and the connection is ended.
   * @throws the error of the socket.
   */
  send(text: Uint8Array, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => this.terminate();
      signal.addEventListener('abort', abort, { once: true });
      this.#socket.send(text, { binary: false }, (error) => {
        signal.removeEventListener('abort', abort);
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  /** Waits until there is a message, the connection ended, or `waitMs` milliseconds are over. */
  async wait(waitMs: number): Promise<void> {
    if (this.#inbox.length > 0 || this.#ending !== undefined) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#waiting.add(done);
    });
  }

  /** Takes messages of at most `maxBytes` bytes together out of the inbox. */
  take(maxBytes: number): Received {
    let bytes = 0;
    let count = 0;
    for (const message of this.#inbox) {
      if (count === MAX_MESSAGES || bytes + message.bytes > maxBytes) break;
      bytes += message.bytes;
      count++;
    }
    const messages = this.#inbox.splice(0, count).map(({ value }) => value);
    this.#inboxBytes -= bytes;
    if (!this.#isFull()) this.#socket.resume();
    return { messages, bytes, hasMore: this.#inbox.length > 0 };
  }

  /** Ends the connection as RFC 6455 demands, at the latest when {@link CLOSE_TIMEOUT_MS} are over. */
  async close(): Promise<Ending> {
    this.#socket.removeAllListeners('message');
    if (this.#ending === undefined) {
      const closed = new Promise((resolve) => this.#socket.once('close', resolve));
      this.#socket.resume();
      this.#socket.close(1000);
      await closed;
    }
    return this.#ending ?? { code: ABNORMAL, reason: '' };
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  #put(data: Buffer, isBinary: boolean): void {
    const value = isBinary ? { base64: data.toString('base64') } : data.toString();
    this.#inbox.push({ value, bytes: data.length });
    this.#inboxBytes += data.length;
    if (this.#isFull()) this.#socket.pause();
    this.#wake();
  }

  #isFull(): boolean {
    return this.#inboxBytes >= this.#maxBytes || this.#inbox.length >= MAX_MESSAGES;
  }

  #fail(error: Error): void {
    const isTooLarge = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    if (isTooLarge) this.#end({ code: TOO_LARGE, reason: 'a message was larger than granted' });
    this.terminate();
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#wake();
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}

/** The library's own errors of the handshake carry no code; their texts are made of constant words. */
function handshakeError(error: Error): Error {
  return 'code' in error ? error : new HandshakeFailed(displayText(error.message));
}

function socketOptions(
  addresses: readonly NetworkAddress[],
  context: SecureContext | undefined,
  messageBytes: number,
) {
  return {
    ...pinnedOptions(addresses, context),
    perMessageDeflate: false,
    followRedirects: false,
    // The library takes 0 for no limit.
    maxPayload: Math.max(1, messageBytes),
    maxHeaderSize: MAX_HEAD_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
}
