import { z } from 'zod';
import { opcodesOf } from './coverage.ts';
import { FEATURES } from './features.ts';
import { relaxedProblems } from './relaxed.ts';
import { type Trial, tryModule } from './trial.ts';

/** What many random modules gave together. */
export const reportSchema = z.object({
  modules: z.number(),
  /** By seed, what is wrong with the first few. */
  problems: z.array(z.string()),
  /** Opcodes that were generated. */
  opcodes: z.array(z.number()),
  /** Opcodes that this V8 has and that were not. */
  missing: z.array(z.number()),
  /** Modules with a call that returned; each stop and each ending of calls, by its name. */
  returning: z.number(),
  endings: z.record(z.string(), z.number()),
  stops: z.record(z.string(), z.number()),
  /** Fuel limits that were tried out. */
  limits: z.number(),
  /** Units of fuel that all modules used. */
  fuel: z.number(),
  milliseconds: z.number(),
});

export type Report = z.infer<typeof reportSchema>;

const SHOWN_PROBLEMS = 20;

/** Tries the modules of `count` seeds from `first` on, every `step`-th. */
export function runCampaign(first: number, count: number, step: number): Report {
  const start = performance.now();
  const report = newReport();
  const used = new Set<number>();
  for (let i = 0; i < count; i++) {
    const seed = first + i * step;
    const trial = tried(seed);
    for (const code of trial.used) used.add(code);
    note(report, seed, trial);
  }
  report.problems.push(...relaxedProblems());
  report.opcodes = [...used];
  report.missing = [...opcodesOf(FEATURES)].filter((code) => !used.has(code));
  report.milliseconds = performance.now() - start;
  return report;
}

function newReport(): Report {
  return {
    modules: 0,
    problems: [],
    opcodes: [],
    missing: [],
    returning: 0,
    endings: {},
    stops: {},
    limits: 0,
    fuel: 0,
    milliseconds: 0,
  };
}

/** A trial that cannot be made is a problem like others, so that its seed is known. */
function tried(seed: number): Trial {
  try {
    return tryModule(seed);
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { problems: [problem], used: new Set(), play: undefined, limits: 0 };
  }
}

function note(report: Report, seed: number, { problems, play, limits }: Trial): void {
  report.modules++;
  report.limits += limits;
  for (const problem of problems) {
    if (report.problems.length < SHOWN_PROBLEMS) report.problems.push(`seed ${seed}: ${problem}`);
  }
  if (play === undefined) return;
  report.fuel += play.fuel;
  const endings = play.events.filter((event) => /^(call|instantiate)/.test(event)).map(endingOf);
  if (endings.includes('returned')) report.returning++;
  for (const ending of endings) report.endings[ending] = (report.endings[ending] ?? 0) + 1;
  const stop = play.stop ?? 'none';
  report.stops[stop] = (report.stops[stop] ?? 0) + 1;
}

function endingOf(event: string): string {
  const failure = /failed: (.*)$/.exec(event)?.[1];
  if (failure === undefined) return event.startsWith('call') ? 'returned' : 'instantiated';
  return failure.startsWith('exception') ? 'exception' : failure.replace(/^other: .*/, 'other');
}
