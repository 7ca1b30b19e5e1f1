import type { JsonObject } from '../../../../encoding/json.ts';
import type { ServerEntry } from '../../../../governance/grants/machine.ts';
import type { McpConnection } from './mcp-connection.ts';
import { connectServer, type ServerMeans } from './server-link.ts';
import { readToolResult } from './tool-result.ts';

/** What messages of the protocol take beside a result: a list of tools above all. */
const OTHER_BYTES = 1_048_576;

/** A server of the grant: started by its first call, and by the first after it failed. */
export class McpServer {
  readonly entry: ServerEntry;
  readonly #resultBytes: number;
  readonly #means: ServerMeans;
  #connection: Promise<McpConnection> | undefined;
  /** Who counts the bytes of a call that is under way. */
  readonly #meters = new Set<(count: number) => void>();

  /** @param resultBytes that a result may have, as JSON. */
  constructor(entry: ServerEntry, resultBytes: number, means: ServerMeans) {
    this.entry = entry;
    this.#resultBytes = resultBytes;
    this.#means = means;
  }

  /**
   * Calls a tool: `{ content, structuredContent? }`.
   * @param onBytes is told of bytes that go out and come in for it.
   * @throws {McpFailure}
   * @throws {SecretProblem}
   * @throws the reason of `signal`.
   */
  async call(
    tool: string,
    args: JsonObject,
    signal: AbortSignal,
    onBytes: (count: number) => void,
  ): Promise<JsonObject> {
    this.#meters.add(onBytes);
    try {
      signal.throwIfAborted();
      const connection = await this.#connect(signal);
      const raw = await connection.call(tool, args, signal);
      return readToolResult(raw, this.#resultBytes, connection.secrets);
    } finally {
      this.#meters.delete(onBytes);
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  async #connect(signal: AbortSignal): Promise<McpConnection> {
    const last = this.#connection;
    const known = await last?.catch(() => undefined);
    if (known?.isOpen) return known;
    // Another call may have begun to connect meanwhile.
    if (this.#connection !== undefined && this.#connection !== last) return this.#connection;
    this.#connection = connectServer(
      this.entry,
      this.#means,
      // JSON may write a character of two bytes as six.
      3 * this.#resultBytes + OTHER_BYTES,
      (count) => {
        for (const meter of this.#meters) meter(count);
      },
      signal,
    );
    return this.#connection;
  }
}
