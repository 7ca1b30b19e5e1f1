import { displayText } from '../../../../encoding/display.ts';
import { isJsonObject, type JsonObject } from '../../../../encoding/json.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  performed,
  type Refusal,
  refused,
} from '../../../../governance/effect.ts';
import type { MachineGrant } from '../../../../governance/grants/machine.ts';
import type { Directive } from '../../../../runtime/types.ts';
import { Interrupted, withDeadline } from '../network/deadline.ts';
import { McpFailure } from './mcp-failure.ts';
import { McpServer } from './mcp-server.ts';
import type { ServerMeans } from './server-link.ts';
import { SecretProblem } from './server-values.ts';

/**
 * Performs `mcp_call` with the servers of a grant, each of which is started when it is first called,
 * and kept until it fails or the handler is closed. The result is `{ content, structuredContent? }`.
 * Judges `server-not-granted` and `tool-not-granted`; refuses `secret-missing`, `secret-unusable`
 * too; fails with `timeout`, `cancelled` and the codes of {@link McpFailure}.
 */
export function createMcpHandler(grant: MachineGrant, means: ServerMeans): EffectHandler {
  const servers = new Map(
    grant.servers.map((entry) => [entry.name, new McpServer(entry, grant.resultBytes, means)]),
  );
  return {
    tags: ['mcp_call'],
    capability: 'machine.call',
    judge: (directive) => {
      const call = chooseTool(directive, servers);
      return 'code' in call ? call : undefined;
    },
    perform: async (request) => {
      const call = chooseTool(request.directive, servers);
      return 'code' in call
        ? refused(call.code, call.message)
        : perform(call, request, grant.timeoutMs);
    },
    close: async () => {
      await Promise.allSettled([...servers.values()].map((each) => each.close()));
    },
  };
}

/** Which tool of which server a directive calls. */
interface Call {
  readonly server: McpServer;
  readonly tool: string;
  readonly args: JsonObject;
}

function chooseTool(directive: Directive, servers: ReadonlyMap<string, McpServer>): Call | Refusal {
  const name = String(directive.server);
  const tool = String(directive.tool);
  const server = servers.get(name);
  if (server === undefined) {
    const message = `the MCP server "${displayText(name)}" is not granted`;
    return { code: 'server-not-granted', message };
  }
  if (!server.entry.tools.includes(tool)) {
    const message = `the tool "${displayText(tool)}" of the MCP server "${displayText(name)}" is not granted`;
    return { code: 'tool-not-granted', message };
  }
  return { server, tool, args: isJsonObject(directive.args) ? directive.args : {} };
}

async function perform(
  { server, tool, args }: Call,
  { allowance, signal }: EffectRequest,
  timeoutMs: number,
): Promise<EffectOutcome> {
  const who = `"${displayText(tool)}" of "${displayText(server.entry.name)}"`;
  const maxBytes = allowance.bytes ?? Number.POSITIVE_INFINITY;
  if (Buffer.byteLength(JSON.stringify(args)) > maxBytes) {
    return failed('bytes-exhausted', `${who}: its arguments are more than is left of the budget`);
  }
  const stop = new AbortController();
  let bytes = 0;
  const onBytes = (count: number) => {
    bytes += count;
    if (bytes > maxBytes) {
      stop.abort(
        new McpFailure('bytes-exhausted', 'the bytes that are left of the budget are used up'),
      );
    }
  };
  try {
    const result = await withDeadline(signal, timeoutMs, (ended) => {
      ended.addEventListener('abort', () => stop.abort(ended.reason), { once: true });
      return server.call(tool, args, stop.signal, onBytes);
    });
    return performed(result, { bytes });
  } catch (error) {
    if (error instanceof SecretProblem) return refused(error.code, `${who}: ${error.message}`);
    const isKnown = error instanceof McpFailure || error instanceof Interrupted;
    const { code, message } = isKnown
      ? error
      : new McpFailure('server-failed', 'the server cannot be called');
    return failed(code, `${who}: ${message}`, { bytes });
  }
}
