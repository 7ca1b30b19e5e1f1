import { z } from 'zod';
import { isKeyId, isSha256 } from '../crypto/crypto.ts';
import type { GatePolicy } from './types.ts';

/** The fields of a policy file that the gate decides by. */
export const gatePolicyFields = {
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
} as const;

/** Those fields, parsed. */
type GatePolicyDocument = z.infer<ReturnType<typeof z.strictObject<typeof gatePolicyFields>>>;

/** What holds where no policy is given: certified executors only, nothing revoked. */
export const DEFAULT_POLICY: GatePolicy = Object.freeze({
  minimumTier: 1,
  publisher: 'if-present',
  revokedCertificates: new Set<never>(),
  revokedKeys: new Set<never>(),
});

/** The policy of the gate that a parsed file states. */
export function gatePolicyOf({
  minimumTier,
  whitelistVersions,
  publisher,
  revoked,
}: GatePolicyDocument): GatePolicy {
  return Object.freeze({
    minimumTier,
    publisher,
    ...(whitelistVersions !== undefined && { whitelistVersions }),
    revokedCertificates: new Set(revoked.certificates),
    revokedKeys: new Set(revoked.keys),
  });
}
