import type { JsonValue } from '../../engine/encoding/json.ts';

/** What an output document and the directives that were constructed come to, as JSON text. */
export interface FloorResult {
  readonly result: unknown;
  readonly directives: readonly unknown[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What a run of an executor cannot do without: a fresh V8 instance, JSON in, plan, JSON out, by a
 * host that checks, bounds and records nothing.
 * @param module an executor of mashin@1 whose imports are the four of `examples/call`.
 */
export function runOnFloor(module: WebAssembly.Module, input: JsonValue): FloorResult {
  const bytes = encoder.encode(JSON.stringify(input));
  const directives: unknown[] = [];
  let output = '';
  const text = (pointer: number, length: number) =>
    decoder.decode(new Uint8Array(memory.buffer, pointer, length));
  const instance = new WebAssembly.Instance(module, {
    mashin: {
      get_input_len: () => bytes.length,
      get_input: (pointer: number) => new Uint8Array(memory.buffer).set(bytes, pointer),
      set_output: (pointer: number, length: number) => {
        output = text(pointer, length);
      },
      call_machine: (pointer: number, length: number) => {
        directives.push({ type: 'call_machine', ...JSON.parse(text(pointer, length)) });
      },
    },
  });
  const { memory: exported, plan } = instance.exports;
  if (!(exported instanceof WebAssembly.Memory) || typeof plan !== 'function') {
    throw new Error('this module is no executor of mashin@1');
  }
  const memory = exported;
  plan();
  return { result: JSON.parse(output).result, directives };
}
