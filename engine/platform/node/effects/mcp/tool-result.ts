import { type CallToolResult, ContentBlockSchema } from '@modelcontextprotocol/sdk/types.js';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../../../encoding/json.ts';
import { McpFailure } from './mcp-failure.ts';
import { withoutSecrets } from './server-values.ts';

/** Items of content that a result may have. */
const MAX_ITEMS = 10_000;

/** What a tool answered, as the server sent it. */
export type RawResult = Readonly<Record<string, unknown>>;

/**
 * The result of a tool as JSON: `{ content, structuredContent? }`, `content` as the protocol has it
 * (text, image, audio, resource, resource link).
 * @param maxBytes of the result, as JSON.
 * @param secrets are kept out of messages.
 * @throws {McpFailure} `tool-failed` where the tool says so; `malformed-answer`, `too-large`.
 */
export function readToolResult(
  raw: RawResult,
  maxBytes: number,
  secrets: readonly string[],
): JsonObject {
  const content = readContent(raw.content ?? []);
  if (raw.isError === true) {
    const said = content.map((item) => (item.type === 'text' ? item.text : '')).join(' ');
    throw new McpFailure('tool-failed', `the tool failed${quoted(withoutSecrets(said, secrets))}`);
  }
  const structured = raw.structuredContent;
  const result = toJson(
    { content, ...(structured !== undefined && { structuredContent: structured }) },
    maxBytes,
  );
  if (structured !== undefined && !isJsonObject(result.structuredContent)) {
    throw malformed('a structured content that is no object');
  }
  return result;
}

/** A server's own words at the end of a message; nothing where it has none. */
export function quoted(said: string): string {
  const words = displayText(said.trim(), 300);
  return words === '' ? '' : `: ${words}`;
}

/** Item by item: a report of all that is wrong with a long list would be many times as long. */
function readContent(content: unknown): CallToolResult['content'] {
  if (!Array.isArray(content)) throw malformed('a content that is no list');
  if (content.length > MAX_ITEMS) throw malformed(`more than ${MAX_ITEMS} items of content`);
  return content.map((item) => {
    const parsed = ContentBlockSchema.safeParse(item);
    if (!parsed.success) throw malformed('content of a kind that the protocol has not');
    return parsed.data;
  });
}

/** By way of its text, which is measured first, and then read as strictly as any JSON. */
function toJson(result: object, maxBytes: number): JsonObject {
  let text: string;
  try {
    text = JSON.stringify(result);
  } catch {
    throw malformed('nesting too deep');
  }
  if (Buffer.byteLength(text) > maxBytes) {
    throw new McpFailure(
      'too-large',
      `the result has more than the ${maxBytes} bytes that are granted`,
    );
  }
  try {
    const value = parseJson(text, 'the result');
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (error instanceof InputError) throw malformed(error.message);
    throw error;
  }
  throw malformed('what is no object');
}

function malformed(found: string): McpFailure {
  return new McpFailure('malformed-answer', `the server's answer cannot be read: ${found}`);
}
