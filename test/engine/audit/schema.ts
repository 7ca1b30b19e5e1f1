// The document `audit/1`, strictly: exactly the fields that docs/formats.md tells of.

import { z } from 'zod';
import { FINDING_CODES } from '../../../engine/audit/findings.ts';
import { DECISION_KINDS, HOOK_VERDICTS } from '../../../engine/provenance/receipt-format.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const file = z.string().min(1);
const environment = z.strictObject({ keyId: hash, label: z.string().exactOptional() });
const decision = z.enum(DECISION_KINDS);
const link = z.strictObject({
  receipt: hash.exactOptional(),
  attestation: hash.exactOptional(),
});

const place = z.strictObject({
  file,
  chain: z.string().exactOptional(),
  epoch: count.exactOptional(),
  directive: z.int().min(1).exactOptional(),
});

const check = z.strictObject({
  code: z.string(),
  ok: z.boolean(),
  detail: z.string().exactOptional(),
});

const runNode = z.strictObject({
  executor: z.string(),
  environment,
  status: z.string(),
  tier: z.literal([1, 2, 3]),
  certificateHash: hash.nullable(),
  certified: z.boolean().nullable(),
  where: place.nullable(),
  get calls(): z.ZodArray<typeof callNode> {
    return z.array(callNode);
  },
  more: count.exactOptional(),
});

const callNode = z.strictObject({
  directive: z.int().min(1),
  type: z.string(),
  decision,
  reason: z.string().exactOptional(),
  link,
  attestation: z.strictObject({ file, holds: z.boolean() }).exactOptional(),
  problem: z.enum(FINDING_CODES).exactOptional(),
  get callees(): z.ZodArray<typeof runNode> {
    return z.array(runNode);
  },
  more: count.exactOptional(),
});

const tagCounts = z.strictObject({
  ...{ performed: count, withheld: count, attempted: count, recorded: count },
  ...{ denied: count, skipped: count, failed: count },
});

export const auditSchema = z.strictObject({
  format: z.literal('audit/1'),
  trust: z.strictObject({ source: z.string().nullable(), own: z.boolean() }),
  policy: z.string().nullable(),
  compatibility: z.string().nullable(),
  executor: z.string().nullable(),
  holds: z.boolean(),
  totals: z.strictObject({
    errors: count,
    warnings: count,
    byCode: z.partialRecord(z.enum(FINDING_CODES), count),
  }),
  files: z.strictObject({
    ...{ chains: count, certificates: count, modules: count, attestations: count },
    ...{ receipts: count, proofs: count, whitelists: count, openRuns: count },
  }),
  whitelists: z.array(
    z.strictObject({
      name: z.string(),
      version: z.int().min(1),
      hash,
      source: z.enum(['built-in', 'named', 'folder']),
    }),
  ),
  chains: z.array(
    z.strictObject({
      file,
      name: z.string(),
      verdict: z.enum([
        ...(['valid', 'empty', 'invalid-signature', 'broken-chain', 'epoch-gap'] as const),
        ...(['truncated', 'unreadable'] as const),
      ]),
      epoch: count.exactOptional(),
      detail: z.string(),
      holds: count,
      firstEpoch: count.nullable(),
      lastEpoch: count.nullable(),
      tip: z.boolean(),
      environments: z.array(z.strictObject({ ...environment.shape, receipts: count })),
      runs: z.strictObject({
        total: count,
        byStatus: z.record(z.string(), count),
        byTier: z.partialRecord(z.enum(['1', '2', '3']), count),
      }),
    }),
  ),
  executors: z.array(
    z.strictObject({
      executor: z.string(),
      artifactHash: hash,
      tier: z.literal([1, 2, 3]),
      purityMethod: z.string(),
      certificateHash: hash.nullable(),
      certificate: file.nullable(),
      module: file.nullable(),
      whitelistHash: hash,
      whitelist: z.string().nullable(),
      environment,
      runs: count,
      first: place,
    }),
  ),
  certificates: z.array(
    z.strictObject({
      file,
      hash,
      artifactHash: hash,
      certifier: environment,
      issuedAt: z.iso.datetime(),
      holds: z.boolean(),
      module: file.nullable(),
      checks: z.array(check),
      runs: count,
    }),
  ),
  effects: z.strictObject({
    byTag: z.record(z.string(), tagCounts),
    list: z
      .array(
        z.strictObject({
          ...{ file, epoch: count, directive: z.int().min(1), executor: z.string() },
          ...{ type: z.string(), decision, hash },
          resultHash: hash.exactOptional(),
          reason: z.string().exactOptional(),
          hooks: z
            .array(
              z.strictObject({ artifactHash: hash.nullable(), verdict: z.enum(HOOK_VERDICTS) }),
            )
            .exactOptional(),
          link: link.exactOptional(),
        }),
      )
      .exactOptional(),
    more: count.exactOptional(),
  }),
  hooks: z.array(
    z.strictObject({
      artifactHash: hash.nullable(),
      certificate: file.nullable(),
      verdicts: z.partialRecord(z.enum(HOOK_VERDICTS), count),
    }),
  ),
  denied: z.array(
    z.strictObject({
      code: z.string(),
      count,
      first: place,
      byTag: z.record(z.string(), count),
      reasons: z.array(z.strictObject({ reason: z.string(), count })),
    }),
  ),
  calls: z.strictObject({
    links: count,
    followed: count,
    trees: z.array(z.strictObject({ runs: count, root: runNode })),
    more: count.exactOptional(),
  }),
  attestations: z.array(
    z.strictObject({
      file,
      hash: hash.nullable(),
      executor: z.string(),
      environment,
      holds: z.boolean(),
      steps: z.array(check),
      receipts: z.strictObject({ named: count, found: count }),
      call: z.boolean(),
    }),
  ),
  openRuns: z.array(
    z.strictObject({ file, executor: z.string(), decisions: z.partialRecord(decision, count) }),
  ),
  findings: z.array(
    z.strictObject({
      code: z.enum(FINDING_CODES),
      severity: z.enum(['error', 'warning']),
      message: z.string().regex(/^[^\n\r]+$/),
      where: place,
      remedy: z.string().min(1),
    }),
  ),
});
