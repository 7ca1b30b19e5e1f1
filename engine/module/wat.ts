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

const FILE = 'input.wat';
const ERROR = /^input\.wat:(\d+):(\d+): error: (.*)$/m;

/**
 * Assembles a module in the text format, with its names in a `name` section.
 * @param name names the file in messages.
 * @returns the binary; whether V8 takes it is for `inspectModule` to say.
 * @throws {InputError} `too-large`, or `invalid-wat` with one line, `NAME:line:column: message`.
 */
export async function assembleWat(text: string, name: string): Promise<Uint8Array> {
  const source = encodeUtf8(text);
  if (source.length > MAX_WAT_BYTES) {
    throw new InputError(
      'too-large',
      `${displayText(name)}: ${source.length} bytes of text, at most ${MAX_WAT_BYTES} are assembled`,
    );
  }
  // wabt is more than a megabyte, so it is loaded when the first text comes. Each text gets an
  // instance of its own: 10 ms, and no text can spoil the next one's.
  const { default: loadWabt } = await import('wabt');
  const wabt = await loadWabt();
  try {
    const module = wabt.parseWat(FILE, source, FEATURES);
    try {
      module.resolveNames();
      const validated: FeatureAwareModule = module;
      validated.validate(FEATURES);
      return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
    } finally {
      module.destroy();
    }
  } catch (cause) {
    throw invalidWat(cause, name);
  }
}

function invalidWat(cause: unknown, name: string): InputError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [, line, column, problem] = ERROR.exec(message) ?? [];
  const where = line === undefined ? '' : `${line}:${column}:`;
  const reason = displayText(problem ?? message.split('\n')[0] ?? '', 300);
  return new InputError('invalid-wat', `${displayText(name)}:${where} ${reason}`, { cause });
}
