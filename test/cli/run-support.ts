import assert from 'node:assert/strict';
import { z } from 'zod';
import { assertExit, type Result } from './support.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const directive = z.looseObject({ type: z.string() });
const fuel = z.strictObject({ limit: z.int(), used: z.int().nullable() });
const kind = z.enum(['performed', 'withheld', 'attempted', 'recorded', 'denied', 'skipped']);
const purityMethod = z.enum(['wasm_certified', 'static_analysis', 'unchecked']);

/** The receipt of DESIGN 8. */
/** What a receipt and an answer both tell of a directive that was performed, or that hooks were asked about. */
const recorded = {
  resultHash: hex.optional(),
  hooks: z
    .array(
      z.strictObject({
        artifactHash: hex.nullable(),
        verdict: z.enum(['allow', 'deny', 'review', 'failed']),
      }),
    )
    .optional(),
  link: z.strictObject({ receipt: hex.optional(), attestation: hex.optional() }).optional(),
};

const receipt = z.strictObject({
  format: z.literal('receipt/1'),
  run: z.string(),
  epoch: z.int().min(0),
  prevHash: hex,
  executor: z.string(),
  artifactHash: hex,
  certificateHash: hex.nullable(),
  purityMethod,
  tier: z.literal([1, 2, 3]),
  whitelistHash: hex,
  inputHash: hex,
  outputHash: hex.nullable(),
  directives: z.array(
    z.strictObject({
      type: z.string(),
      hash: hex,
      decision: kind,
      reason: z.string().optional(),
      ...recorded,
    }),
  ),
  fuel: fuel.extend({ schedule: z.literal('fuel/1') }),
  status: z.string(),
  completed: z.array(z.string()),
  signer: hex,
  signature: z.base64(),
});

/** `run --format json` of DESIGN 10; `problem` is there where a run has no result. */
const contract = z.strictObject({
  status: z.enum([
    'ok',
    'error',
    'trap',
    'denied',
    'out-of-fuel',
    'memory-limit',
    'output-limit',
    'log-limit',
    'directive-limit',
    'call-depth',
    'timeout',
    'cancelled',
    'not-admitted',
  ]),
  result: z.json(),
  directives: z.array(directive),
  decisions: z.array(
    z.strictObject({
      type: z.string(),
      hash: hex,
      decision: kind,
      stage: z.string(),
      reason: z.string().optional(),
      result: z.json().optional(),
      ...recorded,
    }),
  ),
  logs: z.array(z.strictObject({ level: z.string(), message: z.string() })),
  fuel,
  tier: z.literal([1, 2, 3]),
  purityMethod,
  receipt: receipt.nullable(),
  events: z
    .array(z.strictObject({ id: z.uuid({ version: 'v5' }), type: z.string(), content: z.json() }))
    .min(1)
    .optional(),
  /** With `--steps`: the documents of all of them. */
  steps: z
    .array(z.looseObject({ status: z.string() }))
    .min(1)
    .optional(),
  problem: z
    .strictObject({
      code: z.string(),
      message: z.string(),
      function: z.string().optional(),
      offset: z.int().optional(),
    })
    .optional(),
});

/** The document of a run, once it is known to keep its contract. */
export function documentOf(result: Result) {
  const document = contract.parse(JSON.parse(result.stdout));
  assertExit(result, document.status === 'ok' ? 0 : 1);
  assert.equal(document.problem === undefined, ['ok', 'denied'].includes(document.status));
  if (document.receipt !== null) {
    const { status, tier, fuel: counted, directives } = document.receipt;
    const { schedule: _, ...fuelOfReceipt } = counted;
    assert.deepEqual(
      { status, tier, fuel: fuelOfReceipt },
      { status: document.status, tier: document.tier, fuel: document.fuel },
    );
    assert.deepEqual(
      directives.map(({ hash }) => hash),
      document.decisions.map(({ hash }) => hash),
    );
  }
  return document;
}

const plan = (body: string, rest = '') => `(module
  (import "mashin" "get_input_len" (func $get_input_len (result i32)))
  ${rest}
  (memory (export "memory") 1 2)
  (func (export "plan") ${body}))`;

/** Little executors, each ending in its own way. */
export const MODULES = {
  loop: plan('(loop $again (br $again))'),
  trap: plan('(unreachable)'),
  refusal: plan(
    '(call $set_output (i32.const 0) (i32.const 34))',
    `(import "mashin" "set_output" (func $set_output (param i32 i32)))
    (data (i32.const 0) "{\\"error\\":{\\"message\\":\\"I will not\\"}}")`,
  ),
  impure: plan('(drop (call $now))', '(import "env" "now" (func $now (result i64)))'),
} as const;
