import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { JsonObject, JsonValue } from '../../../../../engine/encoding/json.ts';
import type {
  Allowance,
  EffectHandler,
  EffectOutcome,
  Failed,
} from '../../../../../engine/governance/effect.ts';
import { machineGrant } from '../../../../../engine/governance/grants/machine.ts';
import type { Secrets } from '../../../../../engine/governance/secret.ts';
import { createMcpHandler } from '../../../../../engine/platform/node/effects/mcp/mcp-handler.ts';

/** What never may show in a message. */
export const TOKEN = 'token-canary-7Qd2vXo9';

export const SECRETS: Secrets = {
  get: async (name) => (name === 'TOKEN' ? TOKEN : undefined),
};

const here = dirname(fileURLToPath(import.meta.url));
export const HOSTILE = join(here, 'hostile-server.mjs');

/** The program of one of the protocol's reference servers. */
export function referenceServer(name: string): string {
  const require = createRequire(import.meta.url);
  return join(
    dirname(require.resolve(`@modelcontextprotocol/server-${name}/package.json`)),
    'dist',
    'index.js',
  );
}

export interface Setup {
  readonly resultBytes?: number;
  readonly timeoutMs?: number;
  readonly secrets?: Secrets;
}

/** A handler that is closed when the test ends. */
export function makeHandler(
  t: TestContext,
  servers: readonly JsonObject[],
  { secrets = SECRETS, ...limits }: Setup = {},
): EffectHandler {
  const handler = createMcpHandler(machineGrant.parse({ servers, ...limits }), { secrets });
  t.after(() => handler.close?.());
  return handler;
}

/** A handler of one server, `s`, that misbehaves. */
export function makeHostile(
  t: TestContext,
  mode: string,
  { file, ...setup }: Setup & { readonly file?: string } = {},
): EffectHandler {
  const server = {
    name: 's',
    command: process.execPath,
    args: [HOSTILE, mode, ...(file === undefined ? [] : [file])],
    env: { TOKEN: { secret: 'TOKEN' } },
    tools: ['say', 'hang', 'gone'],
  };
  return makeHandler(t, [server], setup);
}

export async function call(
  handler: EffectHandler,
  tool: string,
  args: JsonObject = {},
  {
    server = 's',
    allowance = {},
    signal = new AbortController().signal,
  }: { server?: string; allowance?: Allowance; signal?: AbortSignal } = {},
): Promise<EffectOutcome> {
  const outcome = await handler.perform({
    directive: { type: 'mcp_call', server, tool, args },
    effectId: '00000000-0000-5000-8000-000000000000',
    allowance,
    signal,
    caller: { executor: 'test@1.0.0', artifactHash: '0'.repeat(64) as never, depth: 0 },
    emit: () => undefined,
  });
  if (outcome.kind !== 'performed' && /canary/.test(JSON.stringify(outcome))) {
    throw new Error('a secret shows');
  }
  return outcome;
}

export interface ToolResult {
  readonly content: readonly JsonObject[];
  readonly structuredContent?: JsonValue;
}

export function resultOf(outcome: EffectOutcome): ToolResult {
  if (outcome.kind !== 'performed') throw new Error(JSON.stringify(outcome));
  return outcome.result as unknown as ToolResult;
}

/** The text of a result's first item. */
export function textOf(outcome: EffectOutcome): string {
  return String(resultOf(outcome).content[0]?.text);
}

export function failureOf(outcome: EffectOutcome): Failed {
  if (outcome.kind !== 'failed') throw new Error(JSON.stringify(outcome));
  return outcome;
}

export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

/** Waits until a process is gone, or its mere remains are left. */
export async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
