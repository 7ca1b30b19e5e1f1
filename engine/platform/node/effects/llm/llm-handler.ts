import { displayText } from '../../../../encoding/display.ts';
import type { JsonObject } from '../../../../encoding/json.ts';
import type { Agency, AgencyModel } from '../../../../governance/agency.ts';
import {
  type Cost,
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  performed,
  type Refusal,
  refused,
} from '../../../../governance/effect.ts';
import type { LlmGrant } from '../../../../governance/grants/llm.ts';
import type { Secrets } from '../../../../governance/secret.ts';
import type { Directive } from '../../../../runtime/types.ts';
import { Interrupted, withDeadline } from '../network/deadline.ts';
import type { NetworkOptions } from '../network/guarded-client.ts';
import {
  type Finish,
  ModelFailure,
  type ModelProvider,
  type ModelRequest,
  type Usage,
} from './model-provider.ts';
import { priceBound, priceOfAnswer } from './price.ts';
import { createRemoteProvider } from './remote-provider.ts';

export interface LlmMeans {
  readonly agency: Agency;
  readonly secrets: Secrets;
  /** Serves the agency's providers of kind `editor`, by their names. */
  readonly providers?: ReadonlyMap<string, ModelProvider>;
  /** How the others are reached. */
  readonly network?: NetworkOptions;
}

/**
 * Performs `llm_call` and `llm_call_stream` with the models of an agency. The result is
 * `{ text, model, finish, usage?: { inputTokens, outputTokens } }`, with the agency's name of the
 * model; a stream passes `{ text }` on as pieces come. Judges `model-not-granted`, `model-unknown`,
 * `provider-missing`, `too-large`; refuses `secret-missing`, `secret-unusable` too; fails with the
 * codes of {@link ModelFailure}.
 */
export function createLlmHandler(grant: LlmGrant, means: LlmMeans): EffectHandler {
  const providers = providersOf(means);
  const choose = (directive: Directive) => chooseModel(directive, grant, means.agency, providers);
  return {
    tags: ['llm_call', 'llm_call_stream'],
    capability: 'compute.llm.reason',
    judge: (directive) => {
      const choice = choose(directive);
      return 'code' in choice ? choice : undefined;
    },
    price: (directive) => {
      const choice = choose(directive);
      return 'code' in choice ? 0 : priceBound(choice.model, choice.promptBytes);
    },
    // A model that is asked again changes nothing; what it costs comes from the budget each time.
    isRepeatable: () => true,
    perform: async (request) => {
      const choice = choose(request.directive);
      return 'code' in choice ? refused(choice.code, choice.message) : ask(choice, request, grant);
    },
    close: async () => {
      await Promise.allSettled([...providers.values()].map((each) => each.close?.()));
    },
  };
}

/** What a directive asks, of whom. */
interface Choice {
  readonly model: AgencyModel;
  readonly provider: ModelProvider;
  /** Whether the provider counts its own bytes. */
  readonly isRemote: boolean;
  readonly system: string;
  readonly user: string;
  /** Of system and user text together, in UTF-8. */
  readonly promptBytes: number;
}

function providersOf({
  agency,
  secrets,
  providers,
  network = {},
}: LlmMeans): ReadonlyMap<string, ModelProvider> {
  const all = new Map<string, ModelProvider>();
  for (const [name, each] of agency.providers) {
    const provider =
      each.kind === 'editor' ? providers?.get(name) : createRemoteProvider(each, secrets, network);
    if (provider !== undefined) all.set(name, provider);
  }
  return all;
}

function chooseModel(
  directive: Directive,
  grant: LlmGrant,
  agency: Agency,
  providers: ReadonlyMap<string, ModelProvider>,
): Choice | Refusal {
  const asked = textOf(directive, 'model');
  const name = asked === '' ? agency.default : asked;
  if (name === undefined) {
    return refusal('model-unknown', 'no model is named, and the agency has no "default"');
  }
  if (grant.models !== undefined && !grant.models.includes(name)) {
    return refusal('model-not-granted', `the model "${displayText(name)}" is not granted`);
  }
  const model = agency.models.get(name);
  if (model === undefined) {
    return refusal('model-unknown', `the agency has no model "${displayText(name)}"`);
  }
  const provider = providers.get(model.provider);
  if (provider === undefined) {
    return refusal(
      'provider-missing',
      `"${displayText(model.provider)}", which serves "${displayText(name)}", is the editor's own: run it there`,
    );
  }
  const system = textOf(directive, 'system');
  const user = textOf(directive, 'user');
  const promptBytes = Buffer.byteLength(system) + Buffer.byteLength(user);
  if (promptBytes > grant.promptBytes) {
    return refusal(
      'too-large',
      `the prompt has ${promptBytes} bytes; at most ${grant.promptBytes} are granted`,
    );
  }
  const isRemote = agency.providers.get(model.provider)?.kind !== 'editor';
  return { model, provider, isRemote, system, user, promptBytes };
}

/** A parameter of a directive whose shape was checked: a text. */
function textOf(directive: Directive, name: string): string {
  const value = directive[name];
  return typeof value === 'string' ? value : '';
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}

async function ask(
  choice: Choice,
  { directive, allowance, signal, emit }: EffectRequest,
  grant: LlmGrant,
): Promise<EffectOutcome> {
  const { model, promptBytes } = choice;
  const bound = priceBound(model, promptBytes);
  if (allowance.money !== undefined && bound > allowance.money) {
    return failed(
      'money-exhausted',
      `an answer may cost ${bound} money units; ${allowance.money} are left of the budget`,
    );
  }
  const timeoutMs = Math.min(grant.timeoutMs, model.timeoutMs ?? grant.timeoutMs);
  let bytes = 0;
  const request: ModelRequest = {
    model,
    system: choice.system,
    user: choice.user,
    isStreamed: directive.type === 'llm_call_stream',
    responseBytes: grant.responseBytes,
    deadline: Date.now() + timeoutMs,
    bytesLeft: () => (allowance.bytes ?? Number.POSITIVE_INFINITY) - bytes,
    onBytes: (count) => {
      bytes += count;
    },
  };
  try {
    const answer = await withDeadline(signal, timeoutMs, (ended) =>
      readAnswer(choice, request, ended, (text) => emit({ text })),
    );
    const money = priceOfAnswer(model, promptBytes, answer.usage);
    return performed({ ...answer, model: model.name }, costOf(bytes, money));
  } catch (error) {
    const failure = failureOf(error, model);
    if (failure.code === 'secret-missing' || failure.code === 'secret-unusable') {
      return refused(failure.code, failure.message);
    }
    // Who was asked may have worked, and wants to be paid, whether or not an answer came through.
    const money = failure.isFree || bytes === 0 ? 0 : bound;
    return failed(failure.code, failure.message, costOf(bytes, money));
  }
}

interface WholeAnswer {
  readonly text: string;
  readonly finish: Finish;
  readonly usage?: Usage & JsonObject;
}

/** Reads an answer to its end, within its bounds. */
async function readAnswer(
  { provider, isRemote, promptBytes }: Choice,
  request: ModelRequest,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<WholeAnswer> {
  const count = (more: number) => {
    if (isRemote) return;
    request.onBytes(more);
    if (request.bytesLeft() < 0) {
      throw new ModelFailure(
        'bytes-exhausted',
        'the bytes that are left of the budget are used up',
      );
    }
  };
  count(promptBytes);
  let text = '';
  let textBytes = 0;
  let finish: Finish = 'stop';
  let usage: Usage | undefined;
  for await (const piece of provider.complete(request, signal)) {
    // It may go on though nobody waits for it any more.
    signal.throwIfAborted();
    const more = piece.text?.toWellFormed() ?? '';
    const moreBytes = Buffer.byteLength(more);
    count(moreBytes);
    textBytes += moreBytes;
    if (textBytes > request.responseBytes) {
      throw new ModelFailure(
        'too-large',
        `the answer has more than the ${request.responseBytes} bytes that are granted`,
      );
    }
    text += more;
    if (request.isStreamed && more !== '') onText(more);
    finish = piece.finish ?? finish;
    usage = piece.usage ?? usage;
  }
  return { text, finish, ...(usage && { usage: { ...usage } }) };
}

function failureOf(error: unknown, model: AgencyModel): ModelFailure {
  if (error instanceof ModelFailure) return error;
  if (error instanceof Interrupted) return new ModelFailure(error.code, error.message);
  return new ModelFailure('provider-failed', `"${displayText(model.provider)}" failed`);
}

function costOf(bytes: number, money: number): Cost {
  return { bytes, ...(money > 0 && { money }) };
}
