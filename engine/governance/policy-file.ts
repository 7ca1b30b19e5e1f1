import { z } from 'zod';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { gatePolicyFields, gatePolicyOf } from '../gate/policy.ts';
import type { GatePolicy } from '../gate/types.ts';
import { CAPABILITIES, DIRECTIVES } from '../whitelist/directives.ts';
import { dbGrant } from './grants/db.ts';
import { execGrant } from './grants/exec.ts';
import { fsGrant } from './grants/fs.ts';
import { httpGrant } from './grants/http.ts';
import { llmGrant } from './grants/llm.ts';
import { machineGrant } from './grants/machine.ts';
import { memoryGrant } from './grants/memory.ts';
import { websocketGrant } from './grants/websocket.ts';
import { TRUST_LEVELS } from './trust.ts';

const tags = z.array(z.enum([...DIRECTIVES.keys()])).max(100);

/** What each capability may do, once it is granted. */
export const GRANT_SCHEMAS = Object.freeze({
  'compute.exec': execGrant,
  'compute.llm.reason': llmGrant,
  db: dbGrant,
  fs: fsGrant,
  'machine.call': machineGrant,
  memory: memoryGrant,
  'net.http': httpGrant,
  'net.websocket': websocketGrant,
});

const grantsSchema = z
  .strictObject({
    'compute.exec': execGrant.exactOptional(),
    'compute.llm.reason': llmGrant.exactOptional(),
    db: dbGrant.exactOptional(),
    fs: fsGrant.exactOptional(),
    'machine.call': machineGrant.exactOptional(),
    memory: memoryGrant.exactOptional(),
    'net.http': httpGrant.exactOptional(),
    'net.websocket': websocketGrant.exactOptional(),
  })
  .default({})
  .describe('What may be performed here, by capability. What is not granted is recorded only.');

const budgetSchema = z.strictObject({
  calls: z.int().min(0).exactOptional().describe('Effects.'),
  bytes: z.int().min(0).exactOptional().describe('Bytes that go out and come in.'),
  money: z.number().min(0).exactOptional().describe('Money units, as prices count them.'),
});

const budgetsSchema = z
  .partialRecord(z.enum(CAPABILITIES), budgetSchema)
  .default({})
  .describe(
    'What each capability may use in one run, with all of its steps and the machines it calls; without a bound where nothing is said.',
  );

const phaseSchema = z.strictObject({
  name: z.string().min(1).max(60).describe('What the phase is called.'),
  steps: z
    .int()
    .min(1)
    .exactOptional()
    .describe('How many steps it has; all that are left, if left out.'),
  directives: tags
    .exactOptional()
    .describe('The directives that may be asked for in it; all, if left out.'),
});

const hookSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
    .describe('What the hook is called in reasons.'),
  path: z
    .string()
    .min(1)
    .max(4_096)
    .describe('The executor that answers, relative to the policy: its project or module.'),
  directives: tags.exactOptional().describe('What it is asked about; everything, if left out.'),
  config: z
    .record(z.string(), z.json())
    .default({})
    .describe('What it is told as its `step_config`.'),
  fuel: z
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .default(10_000_000)
    .describe('Fuel for one answer.'),
  timeoutMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(1_000)
    .describe('Milliseconds of wall clock for one answer.'),
});

const hooks = (doc: string) => z.array(hookSchema).max(20).default([]).describe(doc);

const governanceSchema = z.strictObject({
  trustCeiling: z
    .enum(TRUST_LEVELS)
    .default('reviewed')
    .describe('The highest trust level here; what a project claims beyond it counts as this.'),
  grants: grantsSchema,
  phases: z
    .array(phaseSchema)
    .max(100)
    .default([])
    .describe('The phases of a workflow in order, by its steps; without any, none is told apart.'),
  preHooks: hooks('Certified executors that are asked before a directive is performed.'),
  guardrails: hooks('Certified executors that are asked about what came of a directive.'),
  budgets: budgetsSchema,
});

/** The schema of a policy file. Unknown fields are refused: a demand nobody reads is no demand. */
export const policySchema = z.strictObject({
  ...gatePolicyFields,
  governance: governanceSchema
    .default(() => governanceSchema.parse({}))
    .describe('What executors may have performed, and who is asked.'),
});

/** What a policy says of directives. */
export type GovernancePolicy = z.infer<typeof governanceSchema>;
export type HookEntry = GovernancePolicy['preHooks'][number];
export type Grants = GovernancePolicy['grants'];

/** A policy file: what the gate demands, and what the interpreter may perform. */
export interface PolicyFile {
  readonly gate: GatePolicy;
  readonly governance: GovernancePolicy;
}

/** What holds where no policy is given: nothing is granted. */
export const DEFAULT_GOVERNANCE: GovernancePolicy = Object.freeze(governanceSchema.parse({}));

/**
 * Parses a policy file.
 * @throws {InputError} `invalid-json` or `invalid-policy`, naming the field at fault.
 */
export function parsePolicy(source: string | Uint8Array, what: string): PolicyFile {
  const parsed = policySchema.safeParse(parseJson(source, what));
  if (!parsed.success) {
    throw new InputError(
      'invalid-policy',
      `${what} is not a policy: ${describeIssues(parsed.error)}`,
    );
  }
  const { governance, ...gate } = parsed.data;
  return Object.freeze({ gate: gatePolicyOf(gate), governance });
}
