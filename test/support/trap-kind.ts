/** How a call into a guest ended other than by returning. */
export type TrapKind = (typeof PATTERNS)[number][0] | 'exception' | 'host' | `other: ${string}`;

/** V8's messages; the kinds are those of the specification's test suite, shortened. */
const PATTERNS = [
  ['unreachable', /^unreachable/],
  ['memory access', /^memory access out of bounds|^data segment .*out of bounds/],
  ['divide by zero', /^(divide|remainder) by zero/],
  ['overflow', /^divide result unrepresentable/],
  ['float conversion', /^float unrepresentable in integer range/],
  ['table access', /^table (index|access)? ?(is )?out of bounds|^table index/],
  ['indirect call', /signature mismatch|^RuntimeError: function signature/],
  ['element segment', /^element segment/],
  ['null', /^dereferencing a null pointer/],
  ['cast', /^illegal cast/],
  ['array', /^array element access out of bounds|^requested new array is too large/],
  ['unaligned', /^operation does not support unaligned accesses/],
  ['rethrow', /^rethrowing null value/],
  ['stack', /^Maximum call stack size exceeded/],
] as const;

/** Says of what kind a thrown value is, whatever threw it. */
export function trapKind(error: unknown): TrapKind {
  if (error instanceof WebAssembly.Exception) return 'exception';
  if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) return 'host';
  const { message } = error;
  const known = PATTERNS.find(([, pattern]) => pattern.test(message));
  return known === undefined ? `other: ${message}` : known[0];
}
