// Reads as much JSON as finding a member takes, and leaves values as JSON text, ready to be
// passed on. The host hands over well-formed JSON, so well-formedness is not checked again.
// Null means that there is no value, and whatever is asked of it is null again.

const QUOTE: i32 = 0x22;
const COMMA: i32 = 0x2c;
const COLON: i32 = 0x3a;
const BACKSLASH: i32 = 0x5c;
const OPEN_LIST: i32 = 0x5b;
const CLOSE_LIST: i32 = 0x5d;
const OPEN_OBJECT: i32 = 0x7b;
const CLOSE_OBJECT: i32 = 0x7d;

/** The JSON text of an object's member; null when it has none, or is no object. */
export function member(json: string | null, key: string): string | null {
  if (json == null) return null;
  let at = skipSpace(json, 0);
  if (codeAt(json, at) != OPEN_OBJECT) return null;
  at = skipSpace(json, at + 1);
  while (codeAt(json, at) == QUOTE) {
    const keyEnd = skipString(json, at);
    const name = unquote(json.substring(at, keyEnd));
    const start = skipSpace(json, skipPast(json, keyEnd, COLON));
    const end = skipValue(json, start);
    if (name == key) return json.substring(start, end);
    at = skipSpace(json, skipPast(json, end, COMMA));
  }
  return null;
}

/** The JSON texts of a list's items; null when it is no list. */
export function items(json: string | null): string[] | null {
  if (json == null) return null;
  let at = skipSpace(json, 0);
  if (codeAt(json, at) != OPEN_LIST) return null;
  const found: string[] = [];
  at = skipSpace(json, at + 1);
  while (at < json.length && codeAt(json, at) != CLOSE_LIST) {
    const end = skipValue(json, at);
    found.push(json.substring(at, end));
    at = skipSpace(json, skipPast(json, end, COMMA));
  }
  return found;
}

/** The text that a JSON string stands for; null when the JSON is no string. */
export function text(json: string | null): string | null {
  if (json == null || codeAt(json, 0) != QUOTE) return null;
  return unquote(json);
}

/** The JSON string for a text. */
export function quote(text: string): string {
  let json = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code == QUOTE || code == BACKSLASH) json += "\\" + text.charAt(i);
    else if (code < 0x20) json += "\\u" + code.toString(16).padStart(4, "0");
    else json += text.charAt(i);
  }
  return json + '"';
}

function codeAt(json: string, at: i32): i32 {
  return at < json.length ? json.charCodeAt(at) : -1;
}

function skipSpace(json: string, at: i32): i32 {
  while (at < json.length && json.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** The position after white space and one `code`, when it is there. */
function skipPast(json: string, at: i32, code: i32): i32 {
  at = skipSpace(json, at);
  return codeAt(json, at) == code ? at + 1 : at;
}

function skipString(json: string, at: i32): i32 {
  at++;
  while (at < json.length && codeAt(json, at) != QUOTE) {
    at += codeAt(json, at) == BACKSLASH ? 2 : 1;
  }
  return at + 1;
}

function skipValue(json: string, at: i32): i32 {
  let depth = 0;
  while (at < json.length) {
    const code = codeAt(json, at);
    if (code == QUOTE) {
      at = skipString(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (code == OPEN_LIST || code == OPEN_OBJECT) depth++;
    if (code == CLOSE_LIST || code == CLOSE_OBJECT) {
      if (depth == 0) return at;
      depth--;
      if (depth == 0) return at + 1;
    }
    if (depth == 0 && (code == COMMA || code <= 0x20)) return at;
    at++;
  }
  return at;
}

function unquote(json: string): string {
  let text = "";
  let at = 1;
  while (at < json.length - 1) {
    if (codeAt(json, at) != BACKSLASH) {
      text += json.charAt(at++);
      continue;
    }
    const escape = json.charAt(at + 1);
    if (escape == "u") {
      const code = i32(parseInt(json.substring(at + 2, at + 6), 16));
      text += String.fromCharCode(code);
      at += 6;
      continue;
    }
    if (escape == "n") text += "\n";
    else if (escape == "t") text += "\t";
    else if (escape == "r") text += "\r";
    else if (escape == "b") text += "\b";
    else if (escape == "f") text += "\f";
    else text += escape;
    at += 2;
  }
  return text;
}
