// Watches every way by which a program can get WebAssembly to run: an instance in this thread, a
// module that crosses to another one, another process.

import child_process from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import worker_threads from 'node:worker_threads';

/** Something that may have begun to run. */
export interface Start {
  readonly via: string;
  /** What follows `identity:` in the name of an export; all exports of a module without one. */
  readonly identity: string;
}

/** What the name of an export by which the watch knows a module begins with. */
export const IDENTITY = 'identity:';
const starts: Start[] = [];

/** What began since the last question. */
export function takeStarts(): readonly Start[] {
  return starts.splice(0);
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

/**
 * A process may be started to hold executors: what runs in it crosses to it by a write, and so is
 * seen. Every other one is a start in itself.
 */
function watchProcesses(): void {
  const { write } = Socket.prototype;
  Object.assign(Socket.prototype, {
    write(this: unknown, ...args: unknown[]) {
      record('write', withinFrame(args[0]));
      return Reflect.apply(write, this, args);
    },
  });
  for (const name of ['spawn', 'execFile'] as const) {
    const original = child_process[name];
    Object.assign(child_process, {
      [name]: (file: unknown, ...rest: unknown[]) => {
        const line = [file, ...(Array.isArray(rest[0]) ? rest[0] : [])].map(String);
        if (!isHost(line) && !LAUNCHING.test(line[0] ?? '')) refuse(name);
        return Reflect.apply(original, child_process, [file, ...rest]);
      },
    });
  }
  for (const name of ['exec', 'fork', 'execFileSync', 'spawnSync'] as const) {
    Object.assign(child_process, {
      [name]: () => refuse(name),
    });
  }
  syncBuiltinESMExports();
}

/** What of a frame follows the magic number of a module (5.5.16): its program, which ends it. */
function withinFrame(chunk: unknown): unknown {
  if (!(chunk instanceof Uint8Array)) return chunk;
  const start = Buffer.from(chunk).indexOf('\0asm', 0, 'latin1');
  return start < 0 ? undefined : chunk.subarray(start);
}

/** What the launcher of hosts asks of the machine. */
const LAUNCHING = /\/(?:unshare|prlimit|setpriv)$/;

/** Whether this is Node under its permission model, with a script from its standard input. */
function isHost(line: readonly string[]): boolean {
  const node = line.indexOf(process.execPath);
  const options = line.slice(node + 1);
  return (
    node >= 0 &&
    options.some((option) => /^--(?:experimental-)?permission$/.test(option)) &&
    !options.some((option) => option.startsWith('--allow-'))
  );
}

function refuse(via: string): never {
  starts.push({ via, identity: 'a process' });
  throw new Error('not while watched');
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
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  const found = names.find((name) => name.startsWith(IDENTITY));
  return found?.slice(IDENTITY.length) ?? `exports ${names}`;
}
