// The script of the process that evaluates code: takes QuickJS as a module once, then evaluations, and
// answers each. It imports nothing that reaches a file or a socket but the one descriptor of
// `process-guest.ts`.

import { serveJobs } from '../../process-guest.ts';
import { lockDown } from '../../process-lockdown.ts';
import { evaluate } from './evaluate.ts';
import { decodeEvaluation } from './evaluation.ts';
import { type MeteredQuickJS, meterQuickJS } from './quickjs.ts';

/**
 * QuickJS asks this realm for the time, which is also the seed of its random numbers, and for the zone:
 * for every evaluation the clock stands at the beginning of 1970, UTC.
 */
function stopClock(): void {
  Date.now = () => 0;
  globalThis.process.env.TZ = 'UTC';
}

/** The loader of QuickJS takes hold of a console for its warnings. It gets one that nobody reads. */
function replaceConsole(): void {
  const ignore = () => {};
  Reflect.set(globalThis, 'console', { log: ignore, error: ignore });
}

stopClock();
lockDown();
replaceConsole();
serveJobs<MeteredQuickJS>({
  load: meterQuickJS,
  run: (quickjs, job) => evaluate(quickjs, decodeEvaluation(job)),
});
