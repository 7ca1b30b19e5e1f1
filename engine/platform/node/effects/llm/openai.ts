import { createParser } from 'eventsource-parser';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../encoding/json.ts';
import { chatMessages } from './chat-messages.ts';
import {
  type Answer,
  type ModelEndpoint,
  malformed,
  providerError,
  readJsonObject,
} from './model-endpoint.ts';
import {
  type Finish,
  type ModelPiece,
  type ModelProvider,
  type ModelRequest,
  readUsage,
} from './model-provider.ts';

export interface OpenAiOptions {
  /** What the endpoint calls the bound of an answer's tokens. */
  readonly tokenLimit: 'max_tokens' | 'max_completion_tokens';
}

/** Models behind OpenAI's chat completions, which many servers speak. */
export function createOpenAiProvider(
  endpoint: ModelEndpoint,
  { tokenLimit }: OpenAiOptions,
): ModelProvider {
  return {
    complete: async function* (request, signal) {
      const answer = await endpoint.post(
        '/chat/completions',
        requestBody(request, tokenLimit),
        request,
        signal,
      );
      // A server may answer as a whole though it was asked for a stream.
      if (answer.mediaType === 'text/event-stream') yield* readStream(answer, request);
      else yield* readWhole(answer);
    },
    close: () => endpoint.close(),
  };
}

function requestBody(request: ModelRequest, tokenLimit: OpenAiOptions['tokenLimit']): JsonObject {
  const { temperature, topP, maxTokens, seed, stop } = request.model.parameters;
  return {
    model: request.model.model,
    messages: chatMessages(request),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(maxTokens !== undefined && { [tokenLimit]: maxTokens }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && { stop }),
    ...(request.isStreamed && { stream: true, stream_options: { include_usage: true } }),
  };
}

async function* readWhole(answer: Answer): AsyncGenerator<ModelPiece> {
  let body = '';
  for await (const text of answer.texts()) body += text;
  const document = readJsonObject(body, answer);
  const choice = firstChoice(document, answer);
  if (choice === undefined || !isJsonObject(choice.message)) throw malformed(answer, 'no choice');
  yield {
    text: readText(choice.message.content, answer),
    finish: readFinish(choice.finish_reason) ?? 'other',
    ...readTokens(document),
  };
}

async function* readStream(
  answer: Answer,
  { responseBytes }: ModelRequest,
): AsyncGenerator<ModelPiece> {
  const events: string[] = [];
  let isTooLong = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      events.push(data);
    },
    onError: ({ type }) => {
      isTooLong ||= type === 'max-buffer-size-exceeded';
    },
    // A letter may be written as six; the frame around a piece of text is short.
    maxBufferSize: 6 * responseBytes + 65_536,
  });
  let isFinished = false;
  for await (const text of answer.texts()) {
    parser.feed(text);
    for (const data of events.splice(0)) {
      if (data === '[DONE]') return;
      const piece = readChunk(readJsonObject(data, answer), answer);
      isFinished ||= piece.finish !== undefined;
      yield piece;
    }
    if (isTooLong) throw malformed(answer, 'an event without an end');
  }
  if (!isFinished) throw malformed(answer, 'it broke off');
}

function readChunk(chunk: JsonObject, answer: Answer): ModelPiece {
  const choice = firstChoice(chunk, answer);
  const delta = choice?.delta;
  const finish = readFinish(choice?.finish_reason);
  return {
    text: readText(isJsonObject(delta) ? delta.content : undefined, answer),
    ...(finish !== undefined && { finish }),
    ...readTokens(chunk),
  };
}

/** The first choice; `undefined` where the list is empty, as where the usage is told last. */
function firstChoice(document: JsonObject, answer: Answer): JsonObject | undefined {
  if (document.error !== undefined && document.error !== null) {
    throw providerError(answer, document);
  }
  const choices = document.choices;
  if (!Array.isArray(choices)) throw malformed(answer, 'no choices');
  const [choice] = choices;
  if (choice === undefined) return undefined;
  if (!isJsonObject(choice)) throw malformed(answer, 'a choice that is no object');
  return choice;
}

function readText(content: JsonValue | undefined, answer: Answer): string {
  if (content === undefined || content === null) return '';
  if (typeof content !== 'string') throw malformed(answer, 'a content that is no text');
  return content;
}

const FINISHES: ReadonlyMap<JsonValue, Finish> = new Map<JsonValue, Finish>([
  ['stop', 'stop'],
  ['length', 'length'],
  ['content_filter', 'filtered'],
]);

function readFinish(reason: JsonValue | undefined): Finish | undefined {
  if (reason === undefined || reason === null) return undefined;
  return FINISHES.get(reason) ?? 'other';
}

function readTokens({ usage }: JsonObject): ReturnType<typeof readUsage> {
  return isJsonObject(usage) ? readUsage(usage.prompt_tokens, usage.completion_tokens) : {};
}
