import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

/** The largest text that is assembled, in bytes of UTF-8. */
export const MAX_WAT_BYTES = 16 * 1024 * 1024;

/** What V8 knows by default since Node 20: beyond that V8 itself would refuse the result. */
const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  extended_const: true,
  relaxed_simd: true,
  annotations: true,
};

/** wabt's declaration leaves out that `validate` takes the features too. */
interface FeatureAwareModule {
  validate(features: typeof FEATURES): void;
}

type Wabt = Awaited<ReturnType<typeof loadInstance>>;

const FILE = 'input.wat';

/** One thing the assembler has against a text. */
export interface WatProblem {
  /** From 1. */
  readonly line: number;
  /** From 1, in bytes of UTF-8. */
  readonly column: number;
  /** In bytes of UTF-8, on that line. */
  readonly length: number;
  readonly message: string;
}

/** A text that does not assemble, with everything that is wrong with it; none if that is not known. */
export class WatError extends InputError {
  readonly problems: readonly WatProblem[];

  constructor(message: string, problems: readonly WatProblem[], cause: unknown) {
    super('invalid-wat', message, { cause });
    this.problems = problems;
  }
}

/** What assembles texts. */
export interface Assembler {
  /**
   * Assembles a module in the text format, with its names in a `name` section.
   * @param name names the file in messages.
   * @returns the binary; whether V8 takes it is for `inspectModule` to say.
   * @throws {InputError} `too-large`, or {@link WatError} with one line, `NAME:line:column: message`.
   */
  assemble(text: string, name: string): Promise<Uint8Array>;
}

/** So many texts, and so many of their bytes, one instance assembles. */
const MAX_TEXTS = 1_000;
const MAX_BYTES = 4 * MAX_WAT_BYTES;

/**
 * An assembler that keeps its instance from text to text, for an editor: making one takes longer than
 * most texts do. One that failed otherwise than over the text, or has done much, is replaced. What a
 * text could do to an instance shows in texts after it only, and never in what the gate decides.
 */
export function createAssembler(): Assembler {
  let instance: Promise<Wabt> | undefined;
  let textsLeft = MAX_TEXTS;
  let bytesLeft = MAX_BYTES;
  const renew = () => {
    textsLeft = MAX_TEXTS;
    bytesLeft = MAX_BYTES;
    instance = undefined;
  };
  return {
    async assemble(text, name) {
      const source = encodeWat(text, name);
      if (--textsLeft < 0 || bytesLeft < source.length) renew();
      bytesLeft -= source.length;
      instance ??= loadInstance();
      try {
        return assembleWith(await instance, source);
      } catch (cause) {
        const error = invalidWat(cause, name);
        if (error.problems.length === 0) renew();
        throw error;
      }
    },
  };
}

/** Assembles one text, in an instance of its own. Errors as {@link Assembler.assemble}. */
export function assembleWat(text: string, name: string): Promise<Uint8Array> {
  return createAssembler().assemble(text, name);
}

/** wabt is more than a megabyte, so it is loaded when the first text comes. */
async function loadInstance() {
  const { default: loadWabt } = await import('wabt');
  return loadWabt();
}

function encodeWat(text: string, name: string): Uint8Array {
  const source = encodeUtf8(text);
  if (source.length <= MAX_WAT_BYTES) return source;
  throw new InputError(
    'too-large',
    `${displayText(name)}: ${source.length} bytes of text, at most ${MAX_WAT_BYTES} are assembled`,
  );
}

function assembleWith(wabt: Wabt, source: Uint8Array): Uint8Array {
  const module = wabt.parseWat(FILE, source, FEATURES);
  try {
    module.resolveNames();
    const validated: FeatureAwareModule = module;
    validated.validate(FEATURES);
    return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
  } finally {
    module.destroy();
  }
}

/** No more problems than this are told of one text. */
const MAX_PROBLEMS = 100;

/** The message, the line at fault and the mark below it. */
const PROBLEM = /^input\.wat:(\d+):(\d+): error: (.*)$(?:\n.*\n +(\^+))?/gm;

function invalidWat(cause: unknown, name: string): WatError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const problems: WatProblem[] = [];
  for (const [, line, column, problem = '', mark = '^'] of message.matchAll(PROBLEM)) {
    if (problems.length === MAX_PROBLEMS) break;
    const place = { line: Number(line), column: Number(column), length: mark.length };
    problems.push({ ...place, message: displayText(problem, 300) });
  }
  const [first] = problems;
  const where = first === undefined ? '' : `${first.line}:${first.column}:`;
  const reason = first?.message ?? displayText(message.split('\n')[0] ?? '', 300);
  return new WatError(`${displayText(name)}:${where} ${reason}`, problems, cause);
}
