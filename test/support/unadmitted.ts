// What a program might hand to the library in place of an executor that the gate admitted.

import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import { instrument } from '../../engine/metering/instrument.ts';
import type { Isolation } from '../../engine/runtime/isolation.ts';
import type { Job } from '../../engine/runtime/job.ts';
import { runExecutor } from '../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../engine/runtime/types.ts';
import { IDENTITY } from './execution-watch.ts';
import { whitelist } from './gate.ts';
import { assemble } from './wat.ts';

/** A pure module that answers `{"result":N}`, known to the watch by its identity. */
export function answeringModule(identity: string, digit = 1, fields = ''): Uint8Array<ArrayBuffer> {
  const bytes = assemble(`(module
    (import "mashin" "set_output" (func $set_output (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "{\\22result\\22:${digit}}")
    ${fields}
    (func (export "plan") (export "${IDENTITY}${identity}")
      (call $set_output (i32.const 0) (i32.const 12))))`);
  return Uint8Array.from(bytes);
}

/** What the watch calls everything that no gate admitted. */
export const UNADMITTED = 'unadmitted';

/** As pure as the admitted ones, so that nothing but the missing certificate stops it; it runs at once. */
export const canary = answeringModule(UNADMITTED, 6, '(func $s) (start $s)');

const { bytes, ...facts } = instrument(canary);

/** What gives the canary's bytes, wherever the engine asks for a module's. */
export const copyBytes = () => bytes.slice();

/** What an executor carries inside. */
const executorContents = {
  copyBytes: () => canary.slice(),
  imports: [],
  whitelist,
  epoch: { current: true },
  validUntil: Number.POSITIVE_INFINITY,
  now: () => 0,
};

/** What a job carries inside. */
export const jobContents = {
  program: {
    id: UNADMITTED,
    ...facts,
    bindings: [
      {
        module: 'mashin',
        name: 'set_output',
        caller: 'mashin.set_output',
        kind: 'host',
        function: 'set_output',
      },
    ],
    copyBytes,
  },
  input: new TextEncoder().encode('{"context":{},"step_config":{}}'),
  limits: DEFAULT_LIMITS,
  entry: 'plan',
};

/** The sealed job of one run, as an isolation of anybody's own making is given it. */
export function captureJob(executor: AdmittedExecutor): Promise<Job> {
  return new Promise((resolve, reject) => {
    const capturing: Isolation = {
      mode: 'in-thread',
      execute: (job) => {
        resolve(job);
        return Promise.reject(new Error('captured'));
      },
      close: async () => {},
    };
    runExecutor(executor, { input: {}, limits: DEFAULT_LIMITS }, capturing).catch(reject);
  });
}

/** Answers for the members that matter with what was not admitted, for all others as the real one. */
function disguised(real: object): object {
  return new Proxy(real, {
    get: (target, key) => {
      const forged: unknown = Reflect.get(executorContents, key) ?? Reflect.get(jobContents, key);
      return forged ?? Reflect.get(target, key);
    },
  });
}

function lookAlikes(name: string, real: object, contents: object): [string, unknown][] {
  const prototype: object = Object.getPrototypeOf(real);
  return [
    [`the contents of ${name}`, contents],
    [`a copy of ${name}`, { ...real, ...contents }],
    [`a clone of ${name}`, structuredClone(real)],
    [`an heir of ${name}`, Object.assign(Object.create(real), contents)],
    [`a sibling of ${name}`, Object.assign(Object.create(prototype), contents)],
    [`${name} behind a proxy`, disguised(real)],
  ];
}

/** Everything that is tried, by what it is. */
export function unadmittedThings(
  executor: AdmittedExecutor,
  job: Job,
): readonly (readonly [what: string, value: unknown])[] {
  return [
    ['bytes', canary],
    ['a buffer', canary.slice().buffer],
    ['a compiled module', new WebAssembly.Module(canary)],
    ['a response', new Response(canary, { headers: { 'content-type': 'application/wasm' } })],
    [
      'an address',
      new URL(`data:application/wasm;base64,${Buffer.from(canary).toString('base64')}`),
    ],
    ['a text', `(module (func (export "${UNADMITTED}")) (start 0))`],
    ['a promise of bytes', Promise.resolve(canary)],
    ['a function that answers bytes', () => canary],
    ['an admission', { admitted: true, executor: executorContents, checks: [], bytes: canary }],
    ...lookAlikes('an executor', executor, executorContents),
    ...lookAlikes('a job', job, jobContents),
  ];
}
