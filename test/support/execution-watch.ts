// Watches every way by which a program can get WebAssembly to run: an instance in this thread, a
// module that crosses to another one, another process.

import child_process from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import worker_threads from 'node:worker_threads';

/** Something that may have begun to run. */
export interface Start {
  readonly via: string;
  /** The text of the module's custom section `identity`; what a module without one exports. */
  readonly identity: string;
}

const IDENTITY = 'identity';
const starts: Start[] = [];

/** What began since the last question. */
export function takeStarts(): readonly Start[] {
  return starts.splice(0);
}

/** A module's bytes with a custom section by which the watch will know it. */
export function identified(bytes: Uint8Array, identity: string): Uint8Array<ArrayBuffer> {
  const text = (value: string) => {
    const encoded = new TextEncoder().encode(value);
    return [encoded.length, ...encoded];
  };
  const content = [...text(IDENTITY), ...new TextEncoder().encode(identity)];
  return Uint8Array.from([...bytes, 0, content.length, ...content]);
}

/** Begins to watch, for as long as the process lasts. */
export function watchExecution(): void {
  watchInstances();
  watchThreads();
  watchProcesses();
}

function record(via: string, value: unknown): void {
  for (const module of modulesIn(value)) starts.push({ via, identity: identityOf(module) });
}

function watchInstances(): void {
  const { Instance, instantiate } = WebAssembly;
  const instantiating = (via: string, original: (...args: never[]) => unknown) =>
    function (this: unknown, ...args: never[]) {
      record(via, args[0]);
      return original.apply(this, args);
    };
  Object.assign(WebAssembly, {
    Instance: new Proxy(Instance, {
      construct: (target, args, newTarget) => {
        record('Instance', args[0]);
        return Reflect.construct(target, args, newTarget);
      },
    }),
    instantiate: instantiating('instantiate', instantiate),
    // Its argument is a response: whatever it holds, no part of the engine has a use for it.
    instantiateStreaming: () => {
      starts.push({ via: 'instantiateStreaming', identity: 'a response' });
      throw new TypeError('not while watched');
    },
  });
}

function watchThreads(): void {
  for (const { prototype } of [worker_threads.Worker, worker_threads.MessagePort]) {
    const post = prototype.postMessage;
    Object.assign(prototype, {
      postMessage(this: unknown, ...args: unknown[]) {
        record('postMessage', args[0]);
        Reflect.apply(post, this, args);
      },
    });
  }
  const Worker = new Proxy(worker_threads.Worker, {
    construct: (target, args, newTarget) => {
      record('workerData', args[1]?.workerData);
      return Reflect.construct(target, args, newTarget);
    },
  });
  Object.assign(worker_threads, { Worker });
  syncBuiltinESMExports();
}

function watchProcesses(): void {
  for (const name of ['exec', 'execFile', 'fork', 'spawn', 'execFileSync', 'spawnSync'] as const) {
    Object.assign(child_process, {
      [name]: () => {
        starts.push({ via: name, identity: 'a process' });
        throw new Error('not while watched');
      },
    });
  }
  syncBuiltinESMExports();
}

/** The modules that a value carries, compiled or as bytes, however deep. */
function modulesIn(value: unknown, seen = new Set<unknown>()): WebAssembly.Module[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value instanceof WebAssembly.Module) return [value];
  if (value instanceof ArrayBuffer) return modulesIn(new Uint8Array(value), seen);
  if (value instanceof Uint8Array) return compiled(value);
  return Object.values(value).flatMap((member) => modulesIn(member, seen));
}

function compiled(bytes: Uint8Array): WebAssembly.Module[] {
  try {
    return [new WebAssembly.Module(bytes.slice())];
  } catch {
    return []; // not a module, so nothing that could run
  }
}

function identityOf(module: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(module, IDENTITY);
  if (section !== undefined) return new TextDecoder().decode(section);
  return `exports ${WebAssembly.Module.exports(module).map(({ name }) => name)}`;
}
