import type { WebsocketConnection } from './websocket-connection.ts';

/** The open WebSockets of a grant, each under its owner and its URL. */
export class WebsocketPool {
  readonly #limit: number;
  readonly #connections = new Map<string, WebsocketConnection>();
  #opening = 0;

  /** @param limit connections that may be there at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): WebsocketConnection | undefined {
    return this.#connections.get(key);
  }

  /**
   * Makes sure that there is an open connection under a key; false where there are too many.
   * @throws what `open` rejects with.
   */
  async connect(key: string, open: () => Promise<WebsocketConnection>): Promise<boolean> {
    if (this.get(key)?.isOpen) return true;
    this.#connections.delete(key);
    if (this.#connections.size + this.#opening >= this.#limit) this.#dropEnded();
    if (this.#connections.size + this.#opening >= this.#limit) return false;
    this.#opening++;
    try {
      const connection = await open();
      // Another directive of the same owner may have been faster.
      if (this.get(key)?.isOpen) connection.terminate();
      else this.#connections.set(key, connection);
      return true;
    } finally {
      this.#opening--;
    }
  }

  drop(key: string): void {
    this.#connections.delete(key);
  }

  /** Ends every connection at once. */
  close(): void {
    for (const connection of this.#connections.values()) connection.terminate();
    this.#connections.clear();
  }

  #dropEnded(): void {
    for (const [key, { isOpen }] of this.#connections) {
      if (!isOpen) this.#connections.delete(key);
    }
  }
}
