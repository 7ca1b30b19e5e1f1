/** Whether two byte strings are equal. Not constant-time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/**
 * The same bytes as a plain `Uint8Array`, for code that reads them more than once: properties that an
 * object puts before the real `length` or `buffer` are gone, and memory that another thread could
 * write is copied. Bytes in memory that is not shared are not copied.
 * @throws {TypeError} for anything but a `Uint8Array`.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError('bytes are expected here: a Uint8Array');
  }
  const buffer = BUFFER(bytes);
  const view = [Number(BYTE_OFFSET(bytes)), Number(BYTE_LENGTH(bytes))] as const;
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, ...view);
  if (typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer) {
    return new Uint8Array(new Uint8Array(buffer, ...view));
  }
  throw new TypeError('bytes are expected here: a Uint8Array');
}

// The getters of the language itself: what an object says of itself does not come before them.
const BUFFER = intrinsicGetter('buffer');
const BYTE_OFFSET = intrinsicGetter('byteOffset');
const BYTE_LENGTH = intrinsicGetter('byteLength');

function intrinsicGetter(name: string): (bytes: Uint8Array) => unknown {
  const prototype: object = Object.getPrototypeOf(Uint8Array.prototype);
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new TypeError(`this runtime has no intrinsic "${name}"`);
  return (bytes) => Reflect.apply(get, bytes, []);
}
