import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { GuardedFetch } from '../network/guarded-fetch.ts';

/**
 * Speaks MCP with an endpoint over streamable HTTP.
 * @param onBroken is told why a stream of events broke off.
 */
export function createHttpTransport(
  url: string,
  headers: Readonly<Record<string, string>>,
  fetch: GuardedFetch,
  onBroken: (cause: unknown) => void,
): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: async (input, init) => {
      // A stream of what the server wants to say by itself is not opened, and none taken up again.
      if (init?.method === 'GET') return new Response(null, { status: 405 });
      const response = await fetch(input, init);
      const id = requestId(init?.body);
      return id === undefined ? response : answeredAtEnd(response, id, onBroken);
    },
    reconnectionOptions: {
      initialReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 0,
    },
  });
}

/** The id of the request that is sent; `undefined` for notifications and answers of ours. */
function requestId(body: unknown): string | number | undefined {
  if (typeof body !== 'string') return undefined;
  const message: unknown = JSON.parse(body);
  if (typeof message !== 'object' || message === null) return undefined;
  if (!('method' in message) || !('id' in message)) return undefined;
  return typeof message.id === 'string' || typeof message.id === 'number' ? message.id : undefined;
}

/**
 * A response whose stream of events ends with the answer that the connection was closed. The client
 * knows no end of a stream, and would wait for an answer that does not come; after the true answer
 * this one is to a request that is done, and has no effect.
 */
function answeredAtEnd(
  response: Response,
  id: string | number,
  onBroken: (cause: unknown) => void,
): Response {
  const { body, status, headers } = response;
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (body === null || mediaType !== 'text/event-stream') return response;
  const closed = {
    jsonrpc: '2.0',
    id,
    error: { code: ErrorCode.ConnectionClosed, message: 'Connection closed' },
  };
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const chunk of body) yield chunk;
    } catch (cause) {
      onBroken(cause);
    }
    // The empty lines end an event that broke off.
    yield Buffer.from(`\n\ndata: ${JSON.stringify(closed)}\n\n`);
  };
  const iterator = chunks();
  const ended = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => {
      iterator.return();
    },
  });
  return new Response(ended, { status, headers });
}
