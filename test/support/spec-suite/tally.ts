import { z } from 'zod';

const counts = z.record(z.string(), z.number());

/** What a run of the suite gave. */
export const tallySchema = z.object({
  scripts: z.number(),
  /** Modules that V8 accepted, and thus ran in both worlds. */
  modules: z.number(),
  /** Commands that ran, by their type. */
  commands: counts,
  /** Commands that spoke of a module that V8 had refused. */
  skipped: z.number(),
  /** What V8 refused as modules, by its reason. */
  refused: counts,
  /** Where plain and metered did not end alike, or metering refused what V8 accepts. */
  disagreements: z.array(z.string()),
  /** Where V8 itself gave something else than the script says, plain and metered alike. */
  v8: z.array(z.string()),
  /** The same in scripts of which V8 has refused a module that the commands may stand on. */
  afterRefusal: z.number(),
  /** Calls that grew an imported memory beyond what its host allows, which the meter stops. */
  growth: z.number(),
  /** Invalid or malformed binaries that were accepted. */
  accepted: z.array(z.string()),
  /** By whom the invalid and malformed binaries were refused. */
  refusedBy: counts,
  /** NaN results whose bits differ between plain and metered, as the specification allows. */
  nanBits: z.number(),
});

export type Tally = z.infer<typeof tallySchema>;

export function newTally(): Tally {
  return {
    scripts: 0,
    modules: 0,
    commands: {},
    skipped: 0,
    refused: {},
    disagreements: [],
    v8: [],
    afterRefusal: 0,
    growth: 0,
    accepted: [],
    refusedBy: {},
    nanBits: 0,
  };
}

export function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
