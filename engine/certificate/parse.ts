import { isSha256, type KeyId, type Sha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import type { ExternKind } from '../module/types.ts';
import {
  PROOF_FORMAT,
  type ProofImport,
  type ProofMetadata,
  type PurityProof,
} from '../proof/proof.ts';
import type { ImportClass } from '../whitelist/types.ts';
import {
  CERTIFICATE_FORMAT,
  type PublisherSignature,
  type PurityCertificate,
} from './certificate.ts';

/** A certificate larger than this is refused unread, in bytes. */
export const MAX_CERTIFICATE_BYTES = 1_048_576;

/** A certificate as it was read from a file. */
export interface ParsedCertificate {
  readonly certificate: PurityCertificate;
  /** The RFC 8785 form of the proof, exactly as it stands in the file, UTF-8. */
  readonly proofBytes: Uint8Array;
}

/**
 * Parses a certificate file. Its canonical form (RFC 8785) leaves the order of the fields and every
 * byte between them no freedom, so the parser expects just these bytes, one after the other, and
 * there is one file for one certificate: no duplicate key, no stray blank, no second spelling.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-certificate`, `invalid-json` or `invalid-utf8`.
 */
export function parseCertificate(bytes: Uint8Array, what: string): ParsedCertificate {
  if (bytes.length > MAX_CERTIFICATE_BYTES) {
    throw new InputError(
      'invalid-certificate',
      `${what} is not a purity certificate: it has ${bytes.length} bytes; at most ${MAX_CERTIFICATE_BYTES} are read`,
    );
  }
  const text = decodeUtf8(bytes, what);
  const cursor = new Cursor(text);
  try {
    return readCertificate(cursor, text, bytes);
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error;
    parseJson(text, what); // what is not even JSON, or has a key twice, is told by that
    throw new InputError(
      'invalid-certificate',
      `${what} is not a purity certificate in canonical form (RFC 8785): expected ${error.message} at character ${cursor.position}`,
      { offset: cursor.position },
    );
  }
}

/** A text in quotes, as the source of an expression: no control inside, escapes left as they are. */
const QUOTED = '"(?:[^"\\\\\\u0000-\\u001f]|\\\\.)*"';
const CANONICAL_TEXT = 'a text with the escapes of RFC 8785';

function readCertificate(cursor: Cursor, text: string, bytes: Uint8Array): ParsedCertificate {
  cursor.literal('{"artifactHash":');
  const artifactHash = cursor.hash();
  cursor.literal(`,"format":"${CERTIFICATE_FORMAT}","proof":`);
  const start = cursor.position;
  const proof = readProof(cursor);
  const end = cursor.position;
  const isAscii = text.length === bytes.length;
  const proofBytes = isAscii ? bytes.subarray(start, end) : encodeUtf8(text.slice(start, end));
  cursor.literal(',"proofHash":');
  const proofHash = cursor.hash();
  const publisher = cursor.skip(',"publisher":') ? readPublisher(cursor) : undefined;
  cursor.literal(',"signature":');
  const signature = cursor.string();
  cursor.literal('}');
  cursor.end();
  const certificate = {
    format: CERTIFICATE_FORMAT,
    artifactHash,
    proofHash,
    proof,
    signature,
    ...(publisher !== undefined && { publisher }),
  } as const;
  return { certificate, proofBytes };
}

function readPublisher(cursor: Cursor): PublisherSignature {
  cursor.literal('{"keyId":');
  const keyId = cursor.hash() as KeyId;
  cursor.literal(',"signature":');
  const signature = cursor.string();
  cursor.literal('}');
  return { keyId, signature };
}

function readProof(cursor: Cursor): PurityProof {
  cursor.literal('{"allImportsPure":');
  const allImportsPure = cursor.oneOf(BOOLEANS) === 'true';
  cursor.literal(',"imports":[');
  const imports: ProofImport[] = [];
  if (!cursor.skip(']')) {
    do imports.push(readImport(cursor));
    while (cursor.skip(','));
    cursor.literal(']');
  }
  cursor.literal(',"metadata":');
  const metadata = readMetadata(cursor);
  cursor.literal('}');
  return { imports, allImportsPure, metadata };
}

const BOOLEANS = ['true', 'false'] as const;
const CLASSES: ReadonlyMap<unknown, ImportClass> = new Map(
  (['pure', 'directive', 'impure'] as const).map((each) => [each, each]),
);
const KINDS: ReadonlyMap<unknown, ExternKind> = new Map(
  (['function', 'memory', 'table', 'global', 'tag'] as const).map((each) => [each, each]),
);

// One expression for the whole of an import: a certificate is mostly these.
const IMPORT = new RegExp(
  `\\{"class":"(\\w+)","kind":"(\\w+)","module":(${QUOTED}),"name":(${QUOTED}),"type":(${QUOTED})\\}`,
  'y',
);

function readImport(cursor: Cursor): ProofImport {
  const [, importClass, kind, module, name, type] = cursor.match(
    IMPORT,
    'an import with its class, kind, module, name and type',
  );
  const known = { class: CLASSES.get(importClass), kind: KINDS.get(kind) };
  if (known.class === undefined)
    throw new Unexpected('an import of class pure, directive or impure');
  if (known.kind === undefined) throw new Unexpected('an import of a kind that there is');
  return {
    module: unquote(module),
    name: unquote(name),
    kind: known.kind,
    type: unquote(type),
    class: known.class,
  };
}

function readMetadata(cursor: Cursor): ProofMetadata {
  cursor.literal('{"certifier":');
  const certifier = cursor.hash() as KeyId;
  cursor.literal(`,"format":"${PROOF_FORMAT}","issuedAt":`);
  const issuedAt = cursor.time();
  cursor.literal(',"whitelist":{"hash":');
  const hash = cursor.hash();
  cursor.literal(',"name":');
  const name = cursor.string();
  cursor.literal(',"version":');
  const version = cursor.wholeNumber();
  cursor.literal('}}');
  return { format: PROOF_FORMAT, certifier, issuedAt, whitelist: { name, version, hash } };
}

/** What the cursor expected to find; the message completes "expected …". */
class Unexpected extends Error {}

const TIME = /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"/y;
const WHOLE_NUMBER = /(0|[1-9]\d{0,14})(?!\d)/y;
const TEXT = new RegExp(QUOTED, 'y');

/**
 * The text in quotes. An escape is taken where RFC 8785 writes it, and in the spelling it prescribes.
 */
function unquote(quoted = ''): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  let value: unknown;
  try {
    value = JSON.parse(quoted);
  } catch {
    throw new Unexpected(CANONICAL_TEXT);
  }
  if (typeof value !== 'string' || !value.isWellFormed() || JSON.stringify(value) !== quoted) {
    throw new Unexpected(CANONICAL_TEXT);
  }
  return value;
}

/** Walks over canonical JSON text, taking each piece only in its one canonical spelling. */
class Cursor {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  literal(expected: string): void {
    if (!this.skip(expected)) throw new Unexpected(expected);
  }

  skip(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.position)) return false;
    this.position += expected.length;
    return true;
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    const found = choices.find((choice) => this.skip(choice));
    if (found === undefined) throw new Unexpected(`one of ${choices.join(', ')}`);
    return found;
  }

  hash(): Sha256 {
    this.literal('"');
    const digits = this.#text.slice(this.position, this.position + 64);
    if (!isSha256(digits)) throw new Unexpected('64 lower-case hex digits');
    this.position += 64;
    this.literal('"');
    return digits;
  }

  time(): string {
    return this.match(TIME, 'a UTC time such as "2026-11-20T09:30:00Z"')[1] ?? '';
  }

  wholeNumber(): number {
    return Number(this.match(WHOLE_NUMBER, 'a whole number')[0]);
  }

  string(): string {
    return unquote(this.match(TEXT, 'a text in quotes')[0]);
  }

  /** Steps over what a sticky expression matches here. */
  match(pattern: RegExp, expected: string): RegExpExecArray {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#text);
    if (found === null) throw new Unexpected(expected);
    this.position += found[0].length;
    return found;
  }

  end(): void {
    if (this.position !== this.#text.length) throw new Unexpected('the end');
  }
}
