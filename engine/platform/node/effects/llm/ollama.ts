import { isJsonObject, type JsonObject } from '../../../../encoding/json.ts';
import { chatMessages } from './chat-messages.ts';
import {
  type Answer,
  type ModelEndpoint,
  malformed,
  providerError,
  readJsonObject,
} from './model-endpoint.ts';
import {
  type ModelPiece,
  type ModelProvider,
  type ModelRequest,
  readUsage,
} from './model-provider.ts';

/** Models behind the API of Ollama: an answer is JSON in lines, of which a whole answer has one. */
export function createOllamaProvider(endpoint: ModelEndpoint): ModelProvider {
  return {
    complete: async function* (request, signal) {
      const answer = await endpoint.post('/api/chat', requestBody(request), request, signal);
      for await (const line of linesOf(answer, request)) {
        const piece = readLine(readJsonObject(line, answer), answer);
        yield piece;
        if (piece.finish !== undefined) return;
      }
      throw malformed(answer, 'it broke off');
    },
    close: () => endpoint.close(),
  };
}

function requestBody(request: ModelRequest): JsonObject {
  const { parameters, contextTokens, model } = request.model;
  const { temperature, topP, maxTokens, seed, stop } = parameters;
  return {
    model,
    messages: chatMessages(request),
    stream: request.isStreamed,
    options: {
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { top_p: topP }),
      ...(maxTokens !== undefined && { num_predict: maxTokens }),
      // Without it Ollama cuts a long prompt down to its own small default, and says nothing.
      ...(contextTokens !== undefined && { num_ctx: contextTokens }),
      ...(seed !== undefined && { seed }),
      ...(stop !== undefined && { stop }),
    },
  };
}

async function* linesOf(answer: Answer, { responseBytes }: ModelRequest): AsyncGenerator<string> {
  let rest = '';
  for await (const text of answer.texts()) {
    rest += text;
    if (text.includes('\n')) {
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield line;
    }
    // A letter may be written as six; the frame around a piece of text is short.
    if (rest.length > 6 * responseBytes + 65_536) throw malformed(answer, 'a line without an end');
  }
  if (rest.trim() !== '') yield rest;
}

function readLine(line: JsonObject, answer: Answer): ModelPiece {
  if (line.error !== undefined) throw providerError(answer, line);
  const content = isJsonObject(line.message) ? line.message.content : undefined;
  if (typeof content !== 'string') throw malformed(answer, 'a message that is no text');
  if (line.done !== true) return { text: content };
  const reason = line.done_reason ?? 'stop';
  return {
    text: content,
    finish: reason === 'stop' || reason === 'length' ? reason : 'other',
    ...readUsage(line.prompt_eval_count, line.eval_count),
  };
}
