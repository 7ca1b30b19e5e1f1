// A host for tests, of the same parts as the executors' own: a job is text that says what to do.

import { serveJobs } from '../../../engine/platform/node/process-guest.ts';
import { lockDown } from '../../../engine/platform/node/process-lockdown.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const node = globalThis.process;
const WAYS = ['binding', 'dlopen', 'getBuiltinModule', 'kill', '_getActiveHandles', 'stdout'];

/** What jobs have left in this process: nothing may. */
let runs = 0;

const ACTIONS: Readonly<
  Record<string, (rest: string, program: string) => string | Promise<string>>
> = {
  echo: (rest) => rest,
  program: (_, program) => program,
  runs: () => String(runs),
  throw: (rest) => {
    throw new Error(rest);
  },
  later: async (rest) => {
    for (let i = 0; i < 10; i++) await undefined;
    return rest;
  },
  reject: async (rest) => {
    await undefined;
    throw new Error(rest);
  },
  spin: () => {
    for (;;);
  },
  busy: (milliseconds) => {
    const end = Date.now() + Number(milliseconds);
    while (Date.now() < end);
    return milliseconds;
  },
  memory: () => {
    const held: unknown[] = [];
    for (;;) held.push(new Array(1_000_000).fill(held.length));
  },
  globals: () => JSON.stringify(Reflect.ownKeys(globalThis).map(String)),
  process: () => JSON.stringify(WAYS.filter((name) => Reflect.has(node, name))),
  repeat: (rest) => 'x'.repeat(Number(rest)),
};

lockDown();
serveJobs({
  load: (program) => decoder.decode(program),
  run: (program, job, progress) => {
    const [action = '', rest = ''] = decoder.decode(job).split(/:(.*)/s);
    runs++;
    progress(1);
    const said = ACTIONS[action]?.(rest, program);
    return said instanceof Promise
      ? said.then((text) => encoder.encode(text))
      : encoder.encode(said);
  },
});
