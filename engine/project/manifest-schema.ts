import { z } from 'zod';
import { TRUST_LEVELS } from '../governance/trust.ts';
import { MAX_STACK_BYTES } from '../runtime/limits.ts';
import { MEMORY_PROFILES } from '../runtime/profiles.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../runtime/types.ts';
import { CAPABILITIES, LLM_SPELLING } from '../whitelist/directives.ts';
import { patternProblem } from './pattern.ts';
import { type PathReach, relativePathProblem } from './relative-path.ts';

/** The name of a manifest, always. */
export const MANIFEST_NAME = 'executor.json';

/** A manifest larger than this is refused unread, in bytes. */
export const MAX_MANIFEST_BYTES = 262_144;

/** `NAME@V`, a whitelist by name and version. */
export const WHITELIST_NAME = /^([a-z][a-z0-9._-]{0,63})@([1-9][0-9]{0,8})$/;

const relativePath = (reach: PathReach) =>
  z.string().superRefine(refuse((path) => relativePathProblem(path, reach)));
const pattern = (reach: PathReach) =>
  z.string().superRefine(refuse((path) => patternProblem(path, reach)));

function refuse(problemOf: (value: string) => string | undefined) {
  return (value: string, context: z.RefinementCtx<string>): void => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };
}

const limit = (name: keyof RunLimits, maximum: number, doc: string) =>
  z
    .int()
    .min(1)
    .max(maximum)
    .exactOptional()
    .describe(`${doc} ${DEFAULT_LIMITS[name].toLocaleString('en')} if left out.`);

const share = (phase: string) =>
  z.int().min(1).max(2_147_483_647).exactOptional().describe(`Milliseconds for ${phase}.`);

const phasesSchema = z.strictObject({
  gate: share('making the admitted module ready to run'),
  instantiate: share('making the instance, which is added to that of `plan`'),
  plan: share('the entry function'),
  govern: share('deciding about the directives'),
  record: share('writing the receipt, which is written in any case'),
});

const limitsFields = z.strictObject({
  fuel: limit(
    'fuel',
    Number.MAX_SAFE_INTEGER,
    'Fuel for one run; it runs out at the same point everywhere.',
  ),
  memoryPages: limit('memoryPages', 65_536, 'Pages of 64 KiB that linear memory may reach.'),
  outputBytes: limit('outputBytes', 1_073_741_824, 'Bytes of the output document.'),
  logBytes: limit('logBytes', 1_073_741_824, 'Bytes of all log messages together.'),
  directives: limit('directives', 1_000_000, 'Directives in one run.'),
  tableElements: limit('tableElements', 10_000_000, 'Elements of all tables together.'),
  stackBytes: limit(
    'stackBytes',
    MAX_STACK_BYTES,
    'Call depth, as bytes of stack; it ends at the same call everywhere.',
  ),
  timeoutMs: limit('timeoutMs', 2_147_483_647, 'Milliseconds of wall clock, the last resort.'),
  memoryProfile: z
    .enum(MEMORY_PROFILES)
    .exactOptional()
    .describe(
      'Fixes the memory in place of `memoryPages`, so that it never grows: `tile` 1, `edge` 4, `browser` 16, `standard` 64, `high` 256 pages of 64 KiB.',
    ),
  phaseMs: phasesSchema
    .exactOptional()
    .describe(
      'Shares of wall clock for the phases of a run. A run that uses one up ends as `timeout`, with what is there by then.',
    ),
});

const limitsSchema = limitsFields.superRefine(({ memoryProfile, memoryPages }, context) => {
  if (memoryProfile === undefined || memoryPages === undefined) return;
  const message = 'a memory profile fixes the memory: leave out "memoryPages", or the profile';
  context.addIssue({ code: 'custom', path: ['memoryProfile'], message });
});

/** The schema of `executor.json` (DESIGN 9), as its author writes it. */
export const manifestSchema = z
  .strictObject({
    $schema: z.string().exactOptional().describe('The JSON Schema of this file, for editors.'),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
        error: 'a name has at most 64 lower-case letters, digits, ".", "_" and "-"',
      })
      .describe("The executor's name: lower-case letters, digits, `.`, `_` and `-`."),
    version: z
      .string()
      .max(64)
      .regex(/^\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/, {
        error: 'a version looks like 1.0.0 or 1.0.0-beta.1',
      })
      .describe('The version of the executor, such as `1.0.0`. Receipts name it.'),
    artifact: relativePath('inside the project').describe(
      'The built WebAssembly module, relative to this file. It stays inside the project.',
    ),
    source: z
      .array(pattern('anywhere'))
      .max(1000)
      .default([])
      .describe(
        'Files, folders and patterns (`src/**/*.rs`) that the artifact is built from, also of a neighbouring folder (`../sdk`). One that is newer than the artifact makes it stale.',
      ),
    build: z
      .string()
      .min(1)
      .max(4096)
      .exactOptional()
      .describe('The command that builds the artifact, run in this folder.'),
    whitelist: z
      .string()
      .superRefine(
        refuse((text) =>
          WHITELIST_NAME.test(text) ? undefined : relativePathProblem(text, 'anywhere'),
        ),
      )
      .default('mashin@1')
      .describe('The whitelist: `NAME@VERSION`, or the path of a whitelist document.'),
    entry: z
      .string()
      .min(1)
      .max(256)
      .default('plan')
      .describe('The export that runs, of type `() -> ()`.'),
    tier: z
      .literal([1, 2, 3])
      .default(1)
      .describe(
        'The weakest tier this executor may be loaded as: 1 certified, 2 its imports classify as pure, 3 unchecked (development only).',
      ),
    trust: z
      .enum(TRUST_LEVELS)
      .default('untrusted')
      .describe('How far the executor is trusted, which decides what it may ask for.'),
    capabilities: z
      .array(z.enum([...CAPABILITIES, LLM_SPELLING]))
      .max(100)
      .default([])
      .describe('What the executor declares that its directives need.'),
    limits: limitsSchema.default({}).describe('What one run may use.'),
    cases: z
      .array(pattern('inside the project'))
      .max(1000)
      .default([])
      .describe('Files and patterns (`cases/*.json`) of inputs with what is expected of them.'),
  })
  .meta({
    title: 'Executor',
    description: 'A WebAssembly executor: its module, how it is built, and what it may ask for.',
  });

export type ManifestDocument = z.infer<typeof manifestSchema>;

/** The fields of the object at a path of a manifest, for "did you mean …?". */
export function manifestFields(path: readonly (string | number)[]): readonly string[] {
  if (path.length === 0) return Object.keys(manifestSchema.shape);
  if (path[0] !== 'limits') return [];
  return Object.keys(path[1] === 'phaseMs' ? phasesSchema.shape : limitsFields.shape);
}
