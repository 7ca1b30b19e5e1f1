// What a host takes away from the JavaScript in it before the first job.

/** Names of the global object that stay: the language, WebAssembly and text codecs. */
const KEPT: ReadonlySet<string> = new Set([
  'AggregateError',
  'Array',
  'ArrayBuffer',
  'Atomics',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'DataView',
  'Date',
  'Error',
  'EvalError',
  'FinalizationRegistry',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'Function',
  'Infinity',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Intl',
  'Iterator',
  'JSON',
  'Map',
  'Math',
  'NaN',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'SyntaxError',
  'TextDecoder',
  'TextEncoder',
  'TypeError',
  'URIError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakRef',
  'WeakSet',
  'WebAssembly',
  'decodeURI',
  'decodeURIComponent',
  'encodeURI',
  'encodeURIComponent',
  'escape',
  'globalThis',
  'isFinite',
  'isNaN',
  'parseFloat',
  'parseInt',
  'undefined',
  'unescape',
]);

/** Ways of `process` to the system that Node's own code does not need any more. */
const PROCESS_WAYS: readonly string[] = [
  '_debugEnd',
  '_debugProcess',
  '_getActiveHandles',
  '_getActiveRequests',
  '_kill',
  '_linkedBinding',
  '_startProfilerIdleNotifier',
  '_stopProfilerIdleNotifier',
  'abort',
  'binding',
  'chdir',
  'dlopen',
  'execve',
  'finalization',
  'getActiveResourcesInfo',
  'getBuiltinModule',
  'initgroups',
  'kill',
  'loadEnvFile',
  'mainModule',
  'openStdin',
  'report',
  'send',
  'setegid',
  'seteuid',
  'setgid',
  'setgroups',
  'setuid',
  'stderr',
  'stdin',
  'stdout',
  'umask',
];

/**
 * Takes every global from this realm that is not the language's own, and from `process`, for
 * whoever still holds it, its ways to the system.
 *
 * This is a curtain, not a wall. It leaves nothing for JavaScript that would come to run here by
 * mistake: no name leads to a module of Node, and text cannot become code (the launcher starts V8
 * with `--disallow-code-generation-from-strings`; an `import()` would have to be in the script
 * already). It does not stop code that V8 never meant to run, such as an exploit of its compiler:
 * against that stand only what the system itself holds, see `ProcessLayers`.
 */
export function lockDown(): void {
  const node = globalThis.process;
  for (const name of PROCESS_WAYS) Reflect.deleteProperty(node, name);
  for (const name of Reflect.ownKeys(globalThis)) {
    if (typeof name === 'string' && KEPT.has(name)) continue;
    Reflect.deleteProperty(globalThis, name);
  }
}
