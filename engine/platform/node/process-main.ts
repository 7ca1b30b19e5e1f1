// The script of an executor's process: takes programs and jobs, runs them, answers what each left
// behind. It imports the runtime's guest side and nothing that reaches a file or a socket but the
// one descriptor of `process-guest.ts`.

import { execute } from '../../runtime/execute.ts';
import type { ProgramFacts } from '../../runtime/program.ts';
import { decodeJob, decodeProgram, encodeEnded } from './process-codec.ts';
import { serveJobs } from './process-guest.ts';
import { lockDown } from './process-lockdown.ts';

/** How many phases are complete when the instance is made: `gate` and `instantiate`. */
const INSTANTIATED = 2;

interface LoadedProgram {
  readonly facts: ProgramFacts;
  readonly module: WebAssembly.Module;
}

lockDown();
serveJobs<LoadedProgram>({
  load: (program) => {
    const { facts, bytes } = decodeProgram(program);
    return { facts, module: new WebAssembly.Module(Uint8Array.from(bytes)) };
  },
  run: ({ facts, module }, job, progress) =>
    encodeEnded(
      execute({ ...decodeJob(job), program: facts }, module, (completed) => {
        // The answer itself says that the last phase is complete.
        if (completed.length === INSTANTIATED) progress(completed.length);
      }),
    ),
});
