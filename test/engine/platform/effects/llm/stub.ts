import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { JsonValue } from '../../../../../engine/encoding/json.ts';
import { parseAgency } from '../../../../../engine/governance/agency.ts';
import type {
  Allowance,
  EffectHandler,
  EffectOutcome,
  Failed,
  Performed,
} from '../../../../../engine/governance/effect.ts';
import { type LlmGrant, llmGrant } from '../../../../../engine/governance/grants/llm.ts';
import type { Secrets } from '../../../../../engine/governance/secret.ts';
import { createLlmHandler } from '../../../../../engine/platform/node/effects/llm/llm-handler.ts';
import type { ModelProvider } from '../../../../../engine/platform/node/effects/llm/model-provider.ts';
import type { Directive } from '../../../../../engine/runtime/types.ts';

/** What never may show in a message. */
export const KEY = 'sk-canary-7Qd2vXo9';

/** A request that came to the stub. */
export interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly [key: string]: JsonValue };
}

export interface Stub {
  /** Without a slash at its end. */
  readonly url: string;
  readonly seen: Seen[];
  stop(): Promise<void>;
}

/** Serves `answer` on loopback until the test ends. */
export async function startStub(
  t: TestContext,
  answer: (response: ServerResponse, seen: Seen) => unknown,
): Promise<Stub> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const entry = { url: request.url ?? '', headers: request.headers, body: JSON.parse(body) };
    seen.push(entry);
    response.on('error', () => undefined);
    await answer(response, entry);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.after(stop);
  return { url: `http://127.0.0.1:${port}`, seen, stop };
}

export interface Setup {
  readonly kind?: 'openai' | 'ollama';
  readonly url?: string;
  readonly provider?: Record<string, JsonValue>;
  readonly model?: Record<string, JsonValue>;
  readonly grant?: Partial<LlmGrant>;
  readonly secrets?: Secrets;
}

/** A handler with one model, `m`, of one provider, `p`, whose key is {@link KEY}. */
export function makeHandler(
  t: TestContext,
  { kind = 'openai', url = 'http://127.0.0.1:1', ...rest }: Setup,
): EffectHandler {
  const agency = parseAgency(
    JSON.stringify({
      format: 'agency/1',
      providers: [{ name: 'p', kind, endpoint: url, apiKey: { secret: 'KEY' }, ...rest.provider }],
      models: [{ name: 'm', provider: 'p', model: 'real-model', ...rest.model }],
      default: 'm',
    }),
    'agency.json',
  );
  return track(
    t,
    createLlmHandler(
      { ...llmGrant.parse({}), ...rest.grant },
      {
        agency,
        secrets: rest.secrets ?? { get: async (name) => (name === 'KEY' ? KEY : undefined) },
      },
    ),
  );
}

/** A handler whose only model is served by `provider`, as an editor would offer it. */
export function makeEditorHandler(
  t: TestContext,
  provider: ModelProvider | undefined,
  { model, grant }: Pick<Setup, 'model' | 'grant'> = {},
): EffectHandler {
  const agency = parseAgency(
    JSON.stringify({
      format: 'agency/1',
      providers: [{ name: 'e', kind: 'editor' }],
      models: [{ name: 'm', provider: 'e', model: 'copilot', ...model }],
    }),
    'agency.json',
  );
  return track(
    t,
    createLlmHandler(
      { ...llmGrant.parse({}), ...grant },
      {
        agency,
        secrets: { get: async () => undefined },
        ...(provider && { providers: new Map([['e', provider]]) }),
      },
    ),
  );
}

function track(t: TestContext, handler: EffectHandler): EffectHandler {
  t.after(() => handler.close?.());
  return handler;
}

export function call(user = 'hi', more: Partial<Directive> = {}): Directive {
  return { type: 'llm_call', model: 'm', system: '', user, ...more };
}

export function stream(user = 'hi', more: Partial<Directive> = {}): Directive {
  return call(user, { type: 'llm_call_stream', ...more });
}

export interface Run {
  readonly outcome: EffectOutcome;
  readonly emitted: JsonValue[];
}

export async function run(
  handler: EffectHandler,
  directive: Directive,
  {
    allowance = {},
    signal = new AbortController().signal,
    onEmit = () => undefined,
  }: { allowance?: Allowance; signal?: AbortSignal; onEmit?: () => void } = {},
): Promise<Run> {
  const emitted: JsonValue[] = [];
  const outcome = await handler.perform({
    directive,
    effectId: '00000000-0000-5000-8000-000000000000',
    allowance,
    signal,
    caller: { executor: 'test@1.0.0', artifactHash: '0'.repeat(64) as never, depth: 0 },
    emit: (payload) => {
      emitted.push(payload);
      onEmit();
    },
  });
  if (JSON.stringify(outcome).includes('canary')) throw new Error('the key shows');
  return { outcome, emitted };
}

export function asPerformed({ outcome }: Run): Performed {
  if (outcome.kind !== 'performed') throw new Error(JSON.stringify(outcome));
  return outcome;
}

export function asFailed({ outcome }: Run): Failed {
  if (outcome.kind !== 'failed') throw new Error(JSON.stringify(outcome));
  return outcome;
}
