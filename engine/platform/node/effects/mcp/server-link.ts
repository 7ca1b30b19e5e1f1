import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerEntry } from '../../../../governance/grants/machine.ts';
import type { Secrets } from '../../../../governance/secret.ts';
import type { NetworkOptions } from '../network/guarded-client.ts';
import { createGuardedFetch, type GuardedFetchOptions } from '../network/guarded-fetch.ts';
import { createHttpTransport } from './http-transport.ts';
import { McpConnection, type McpLink } from './mcp-connection.ts';
import { readValues } from './server-values.ts';
import { StdioTransport } from './stdio-transport.ts';

/** What servers are given, and how those at a URL are reached. */
export interface ServerMeans extends NetworkOptions {
  readonly secrets: Secrets;
}

type ProgramEntry = Extract<ServerEntry, { readonly command: string }>;
type EndpointEntry = Extract<ServerEntry, { readonly url: string }>;

/** A value of an environment ends at a NUL. */
const ENVIRONMENT = /^[^\0]*$/;

/** RFC 9110 section 5.5. */
const HEADER = /^[\t\x20-\x7e\x80-\xff]*$/;

/** How long a server is given to take note of a farewell, in milliseconds. */
const FAREWELL = 1_000;

/**
 * Starts a server, or reaches it at its URL, and greets it.
 * @param maxBytes that may come from the server for one request of ours.
 * @param onBytes is told of bytes that go out and come in.
 * @throws {SecretProblem}
 * @throws {McpFailure}
 * @throws the reason of `signal`.
 */
export async function connectServer(
  entry: ServerEntry,
  { secrets, ca, resolve }: ServerMeans,
  maxBytes: number,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<McpConnection> {
  const isProgram = 'command' in entry;
  const given = isProgram
    ? await readValues(entry.env, secrets, ENVIRONMENT)
    : await readValues(entry.headers, secrets, HEADER);
  const connection = new McpConnection(given.secrets);
  const link = isProgram
    ? programLink(entry, given.values, maxBytes, onBytes)
    : endpointLink(entry, given.values, maxBytes, { ca, resolve, onBytes }, (cause) =>
        connection.fail(cause),
      );
  await connection.open(link, signal);
  return connection;
}

function programLink(
  { command, args }: ProgramEntry,
  env: Readonly<Record<string, string>>,
  maxBytes: number,
  onBytes: (count: number) => void,
): McpLink {
  const transport = new StdioTransport({ command, args, env, maxBytes, onBytes });
  return { transport, end: (isPolite) => (isPolite ? transport.close() : transport.kill()) };
}

function endpointLink(
  { url, addresses }: EndpointEntry,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
  options: GuardedFetchOptions,
  onBroken: (cause: unknown) => void,
): McpLink {
  const fetch = createGuardedFetch(
    {
      hosts: [new URL(url).host],
      addresses,
      plainHttp: false,
      redirects: 0,
      requestBytes: Number.MAX_SAFE_INTEGER,
      responseBytes: maxBytes,
    },
    options,
  );
  const transport = createHttpTransport(url, headers, fetch, onBroken);
  const end = async (isPolite: boolean) => {
    if (isPolite) {
      const farewell = transport.terminateSession().catch(() => undefined);
      await Promise.race([farewell, sleep(FAREWELL, undefined, { ref: false })]);
    }
    await transport.close();
    await fetch.close();
  };
  return { transport, end };
}
