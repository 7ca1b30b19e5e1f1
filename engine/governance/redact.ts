import { isJsonObject, type JsonObject, type JsonValue, MAX_JSON_DEPTH } from '../encoding/json.ts';
import { PatternSet } from './pattern-set.ts';
import type { Secrets } from './secret.ts';
import { formsOfSecret, SHORTEST_ENCODED } from './secret-forms.ts';

/** Keeps the secrets that it has learned out of what is shown and recorded. */
export interface Redactor {
  /** Learns a secret. A value that it knew by another name keeps that; an empty one is none. */
  learn(name: string, value: string): void;
  /**
   * The value with `[secret NAME]` in place of every secret in its texts and keys, in each of its
   * forms (see `formsOfSecret`), and of a number that is written as a secret of six or more digits is.
   * What holds none is answered as it is, the same object. Keys that become the same keep the value of
   * the last. Lists and objects below {@link MAX_JSON_DEPTH} levels, which no document of this project
   * may have, are not looked through but replaced.
   */
  redact(value: JsonValue): JsonValue;
  /** The text with `[secret NAME]` in place of every secret, in each of its forms. */
  redactText(text: string): string;
  /** Redacts a text that comes in pieces. */
  stream(): RedactedStream;
}

/** A text in pieces: what it answers makes up what `redactText` makes of the whole. */
export interface RedactedStream {
  /**
   * Takes a piece, and answers what can be told of the text by now: all but an end that could be the
   * beginning of a secret. A secret that is learned meanwhile counts from what was not answered yet on.
   */
  write(piece: string): string;
  /** What was still held back. */
  end(): string;
}

/** Makes a redactor that knows no secrets. Its time is linear in what it redacts. */
export function createRedactor(): Redactor {
  const names = new Map<string, string>();
  let made: Search | undefined;
  const search = () => {
    made ??= makeSearch(names);
    return made;
  };
  const redactText = (text: string) => {
    if (names.size === 0 || !search().patterns.isIn(text)) return text;
    const covering = new Covering(search());
    return covering.write(text) + covering.end();
  };
  const redactNumber = (value: number) => {
    const text = String(value);
    const name = text.length < SHORTEST_ENCODED ? undefined : names.get(text);
    return name === undefined ? value : label(name);
  };
  return {
    learn: (name, value) => {
      if (value === '' || names.has(value)) return;
      names.set(value, name);
      made = undefined;
    },
    redact: (value) => redactValue(value, redactText, redactNumber, 0),
    redactText,
    stream: () => {
      let covering = new Covering(search());
      return {
        write: (piece) => {
          if (covering.search === search()) return covering.write(piece);
          const held = covering.held();
          covering = new Covering(search());
          return covering.write(held + piece);
        },
        end: () => covering.end(),
      };
    },
  };
}

/** Secrets of which a redactor learns every value as it is asked for. */
export function redactingSecrets(secrets: Secrets, redactor: Redactor): Secrets {
  return {
    get: async (name) => {
      const value = await secrets.get(name);
      if (value !== undefined) redactor.learn(name, value);
      return value;
    },
  };
}

function label(name: string): string {
  return `[secret ${name}]`;
}

interface Search {
  readonly patterns: PatternSet;
  /** The names of secrets, by the patterns' labels. */
  readonly names: readonly string[];
}

/** @param names the names of secrets by their values. */
function makeSearch(names: ReadonlyMap<string, string>): Search {
  // A form of two secrets, which only one that is a form of the other can have, is the first's.
  const patterns = [...names.keys()].flatMap((value, label) =>
    [...formsOfSecret(value)].map((text) => ({ text, label })),
  );
  return { patterns: new PatternSet(patterns), names: [...names.values()] };
}

function redactValue(
  value: JsonValue,
  redactText: (text: string) => string,
  redactNumber: (value: number) => JsonValue,
  depth: number,
): JsonValue {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'number') return redactNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_JSON_DEPTH) return `[below ${MAX_JSON_DEPTH} levels]`;
  const redact = (each: JsonValue) => redactValue(each, redactText, redactNumber, depth + 1);
  if (!isJsonObject(value)) {
    const items = value.map(redact);
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  return redactMembers(value, redactText, redact);
}

function redactMembers(
  value: JsonObject,
  redactText: (text: string) => string,
  redact: (value: JsonValue) => JsonValue,
): JsonObject {
  let isChanged = false;
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] => {
    const redacted: [string, JsonValue] = [redactText(key), redact(member)];
    isChanged ||= redacted[0] !== key || redacted[1] !== member;
    return redacted;
  });
  return isChanged ? Object.fromEntries(members) : value;
}

/** A part of a text, from `start` up to `end`, that is a secret. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/**
 * Covers the secrets in one text. A part inside of another is covered with it; of parts that overlap
 * each is named, once in a row.
 */
class Covering {
  readonly search: Search;
  /** What was read and not answered yet: it ends at `#end` and begins at `#begin`. */
  #text = '';
  #begin = 0;
  #end = 0;
  #state = 0;
  /** The parts that were not answered yet, none inside another, in order. */
  #parts: Part[] = [];
  #lastName: string | undefined;

  constructor(search: Search) {
    this.search = search;
  }

  /** Reads a piece, and answers what nothing that may follow can change. */
  write(piece: string): string {
    const { patterns } = this.search;
    this.#text += piece;
    for (let i = 0; i < piece.length; i++) {
      this.#state = patterns.next(this.#state, piece.charCodeAt(i));
      this.#end++;
      const length = patterns.matched(this.#state);
      if (length !== 0) this.#cover(this.#end - length, patterns.label(this.#state));
    }
    return this.#answer(this.#end - patterns.depth(this.#state));
  }

  end(): string {
    return this.#answer(this.#end);
  }

  /** What was read and not answered. */
  held(): string {
    return this.#text;
  }

  #cover(start: number, label: number): void {
    const name = this.search.names[label] ?? '';
    while ((this.#parts.at(-1)?.start ?? -1) >= start) this.#parts.pop();
    this.#parts.push({ start, end: this.#end, name });
  }

  /** Answers the text up to `until`, and the parts that begin before. */
  #answer(until: number): string {
    let answer = '';
    let count = 0;
    for (const { start, end, name } of this.#parts) {
      if (start >= until) break;
      const overlaps = start < this.#begin;
      answer += this.#take(start);
      if (!overlaps || name !== this.#lastName) answer += label(name);
      this.#take(end);
      this.#lastName = name;
      count++;
    }
    this.#parts.splice(0, count);
    return answer + this.#take(until);
  }

  /** Takes the text that is left before `until`. */
  #take(until: number): string {
    const length = Math.max(0, until - this.#begin);
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    this.#begin += length;
    return taken;
  }
}
