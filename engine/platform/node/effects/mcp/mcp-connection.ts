import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  McpError,
  PingRequestSchema,
  ResultSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { JsonObject } from '../../../../encoding/json.ts';
import { describeFailure } from '../network/failure.ts';
import { McpFailure } from './mcp-failure.ts';
import { withoutSecrets } from './server-values.ts';
import { quoted, type RawResult } from './tool-result.ts';

/** Requests that a server may make during one call, each of them refused, before it counts as a flood. */
const MAX_REQUESTS = 100;

/** How long the list of a server's tools may be. */
const MAX_PAGES = 100;
const MAX_TOOLS = 10_000;

/** Milliseconds. A call is ended by its signal; no timer of the SDK's comes first. */
const NEVER = 2_147_483_647;

/** How this side speaks to a server. */
export interface McpLink {
  readonly transport: Transport;
  /**
   * Lets go of all that the transport holds.
   * @param isPolite whether the server is told, and given time to end by itself.
   */
  end(isPolite: boolean): Promise<void>;
}

/**
 * A server, from the greeting on. This side offers no capabilities: what the server asks for is
 * refused, what it tells is ignored, but that its tools have changed.
 */
export class McpConnection {
  /** Values that must not show in messages. */
  readonly secrets: readonly string[];

  readonly #client = new Client(
    { name: 'touchstone', version: '1' },
    { capabilities: {}, jsonSchemaValidator: NO_SCHEMAS },
  );
  readonly #broken: Promise<never>;
  #break: (failure: McpFailure) => void = () => undefined;
  #failure: McpFailure | undefined;
  #link: McpLink | undefined;
  #ending: Promise<void> | undefined;
  #requests = 0;
  #tools: ReadonlySet<string> | undefined;
  #changes = 0;

  constructor(secrets: readonly string[]) {
    this.secrets = secrets;
    this.#broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.#broken.catch(() => undefined);
  }

  /** Whether calls can be made. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Greets a server.
   * @throws {McpFailure}
   * @throws the reason of `signal`.
   */
  async open(link: McpLink, signal: AbortSignal): Promise<void> {
    this.#link = link;
    const { transport } = link;
    transport.onerror = (error) => {
      if (error instanceof McpFailure || isMalformed(error)) this.fail(error);
    };
    this.#client.setRequestHandler(PingRequestSchema, () => {
      this.#countRequest();
      return {};
    });
    this.#client.fallbackRequestHandler = async () => {
      this.#countRequest();
      throw new McpError(ErrorCode.MethodNotFound, 'this client offers nothing');
    };
    this.#client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      this.#changes++;
      this.#tools = undefined;
    });
    try {
      const greeted = whileUnderWay(signal, (own) =>
        this.#client.connect(transport, { signal: own, timeout: NEVER }),
      );
      await Promise.race([greeted, this.#broken]);
    } catch (error) {
      const failure = this.#explain(error, signal, 'the server refuses the connection');
      this.fail(failure);
      await this.close();
      throw failure;
    }
    // Not before: where a greeting fails, the client closes before it says why.
    const onClose = () => this.fail(new McpFailure('server-lost', 'the server is gone'));
    this.#client.onclose = onClose;
    if (this.#client.transport === undefined) onClose();
  }

  /**
   * Calls a tool, and answers what the server sent.
   * @throws {McpFailure}
   * @throws the reason of `signal`, once the server has been told.
   */
  async call(tool: string, args: JsonObject, signal: AbortSignal): Promise<RawResult> {
    this.#requests = 0;
    const tools = this.#tools ?? (await this.#listTools(signal));
    if (!tools.has(tool)) {
      throw new McpFailure('tool-missing', 'the server has no such tool, or no more');
    }
    const params = { name: tool, arguments: { ...args } };
    return this.#request('tools/call', params, signal, 'the tool failed', 'tool-failed');
  }

  /** Ends the connection for a reason: what is under way fails by it, and no call follows. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = failureOf(cause);
    this.#break(this.#failure);
    this.#ending = this.#link?.end(false);
  }

  /** Takes leave of the server, and waits until all of it is gone. */
  async close(): Promise<void> {
    this.#failure ??= new McpFailure('server-lost', 'the connection was closed');
    this.#ending ??= this.#link?.end(true);
    await this.#ending;
  }

  async #listTools(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const changes = this.#changes;
    const names = new Set<string>();
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES && names.size < MAX_TOOLS; page++) {
      const params = cursor === undefined ? {} : { cursor };
      const list = await this.#request('tools/list', params, signal, 'the server tells no tools');
      for (const name of namesOf(list)) names.add(name);
      const next = list.nextCursor;
      if (typeof next !== 'string') break;
      cursor = next;
    }
    // The list may have changed while it was told.
    if (changes === this.#changes) this.#tools = names;
    return names;
  }

  async #request(
    method: string,
    params: Record<string, unknown>,
    signal: AbortSignal,
    refusal: string,
    code?: McpFailure['code'],
  ): Promise<RawResult> {
    try {
      return await Promise.race([
        whileUnderWay(signal, (own) =>
          this.#client.request({ method, params }, ResultSchema, { signal: own, timeout: NEVER }),
        ),
        this.#broken,
      ]);
    } catch (error) {
      throw this.#explain(error, signal, refusal, code);
    }
  }

  /**
   * What an error of the SDK means. One that is not an answer of the server's ends the connection.
   * @param refusal what it means where the server answers with an error, in words and as a code.
   */
  #explain(
    error: unknown,
    signal: AbortSignal,
    refusal: string,
    code: McpFailure['code'] = 'server-failed',
  ): unknown {
    if (signal.aborted) return signal.reason;
    if (this.#failure !== undefined) return this.#failure;
    if (error instanceof McpError && !isClosed(error)) {
      const said = error.message.replace(/^MCP error -?\d+: /, '');
      return new McpFailure(code, `${refusal}${quoted(withoutSecrets(said, this.secrets))}`);
    }
    this.fail(error);
    return this.#failure;
  }

  #countRequest(): void {
    if (++this.#requests > MAX_REQUESTS) {
      this.fail(new McpFailure('flooded', 'the server makes one request after the other'));
    }
  }
}

/** Schemas of a server's are code to be run by a checker: none is. */
const NO_SCHEMAS = {
  getValidator: (): never => {
    throw new Error('no schema of a server is used');
  },
};

function namesOf(list: RawResult): string[] {
  const tools = list.tools;
  if (!Array.isArray(tools)) throw malformed('a list of tools that is no list');
  return tools.slice(0, MAX_TOOLS).map((tool: unknown) => {
    if (typeof tool !== 'object' || tool === null || !('name' in tool)) {
      throw malformed('a tool without a name');
    }
    return String(tool.name);
  });
}

function malformed(found: string): McpFailure {
  return new McpFailure('malformed-answer', `the server's answer cannot be read: ${found}`);
}

/** What ended a connection, in words that hold nothing of what was sent or received. */
function failureOf(cause: unknown): McpFailure {
  if (cause instanceof McpFailure) return cause;
  if (isMalformed(cause)) return malformed('what is no message of JSON-RPC');
  if (cause instanceof McpError) return new McpFailure('server-lost', 'the server is gone');
  if (cause instanceof StreamableHTTPError) {
    return cause.code === undefined || cause.code < 0
      ? malformed('neither JSON nor a stream of events')
      : new McpFailure('server-failed', `the server answered with status ${cause.code}`);
  }
  const { code, message } = describeFailure(cause);
  if (code === 'too-large') return new McpFailure(code, message);
  return code === 'network-error'
    ? new McpFailure('server-failed', 'the server does not speak the protocol')
    : new McpFailure(code === 'connection-reset' ? 'server-lost' : 'server-failed', message);
}

/** Whether an error is the SDK's own for a connection that ended; servers use its code for their own. */
function isClosed({ code, message }: McpError): boolean {
  return code === ErrorCode.ConnectionClosed && message.endsWith(': Connection closed');
}

/**
 * Hands a signal on while a request is under way, and no longer: at the signal's abort the SDK tells
 * the server that a request is cancelled, also of one that was answered long ago.
 */
async function whileUnderWay<T>(
  signal: AbortSignal,
  work: (own: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const onAbort = () => own.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await work(own.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What the SDK throws for text that is no JSON, and for JSON that is no message. */
function isMalformed(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && /ZodError$/.test(error.name));
}
