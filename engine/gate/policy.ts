import { z } from 'zod';
import { isKeyId, isSha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import type { GatePolicy } from './types.ts';

/** The schema of a policy file. Unknown fields are refused: a demand nobody reads is no demand. */
export const policySchema = z.strictObject({
  format: z.literal('policy/1'),
  minimumTier: z.literal([1, 2, 3]).default(1),
  whitelistVersions: z
    .strictObject({ min: z.int().min(1), max: z.int().min(1) })
    .refine(({ min, max }) => min <= max, { error: '"min" is greater than "max"' })
    .exactOptional(),
  publisher: z.enum(['required', 'if-present', 'ignore']).default('if-present'),
  revoked: z
    .strictObject({
      certificates: z.array(z.string().refine(isSha256, 'not a SHA-256 in hex')).default([]),
      keys: z.array(z.string().refine(isKeyId, 'not a key id')).default([]),
    })
    .default({ certificates: [], keys: [] }),
});

/** What holds where no policy is given: certified executors only, nothing revoked. */
export const DEFAULT_POLICY: GatePolicy = Object.freeze({
  minimumTier: 1,
  publisher: 'if-present',
  revokedCertificates: new Set<never>(),
  revokedKeys: new Set<never>(),
});

/**
 * Parses a policy file.
 * @throws {InputError} `invalid-json` or `invalid-policy`, naming the field at fault.
 */
export function parsePolicy(source: string | Uint8Array, what: string): GatePolicy {
  const parsed = policySchema.safeParse(parseJson(source, what));
  if (!parsed.success) {
    throw new InputError(
      'invalid-policy',
      `${what} is not a policy: ${describeIssues(parsed.error)}`,
    );
  }
  const { minimumTier, whitelistVersions, publisher, revoked } = parsed.data;
  return Object.freeze({
    minimumTier,
    publisher,
    ...(whitelistVersions !== undefined && { whitelistVersions }),
    revokedCertificates: new Set(revoked.certificates),
    revokedKeys: new Set(revoked.keys),
  });
}
