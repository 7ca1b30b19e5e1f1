import { certify } from '../../engine/certificate/certify.ts';
import type { Signer } from '../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../engine/crypto/keys.ts';
import { DEFAULT_POLICY } from '../../engine/gate/policy.ts';
import { makeTrustStore } from '../../engine/gate/trust-store.ts';
import type { GateEnvironment, KeyRole } from '../../engine/gate/types.ts';
import { inspectModule } from '../../engine/module/report.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { builtInWhitelist } from '../../engine/whitelist/whitelist.ts';

/** The time at which tests issue certificates and ask the gate. */
export const NOW = Date.UTC(2026, 10, 20, 9, 30);

export const whitelist = builtInWhitelist(nodeCrypto);

const seeded = (byte: number): Signer => signerFromSeed(nodeCrypto, new Uint8Array(32).fill(byte));
export const certifier = seeded(1);
export const publisher = seeded(2);
export const stranger = seeded(3);

/** An environment that trusts the test's certifier and publisher. */
export function environment(changes: Partial<GateEnvironment> = {}): GateEnvironment {
  const trusted = (signer: Signer, role: KeyRole) => ({ key: signer.publicKey, role });
  return {
    crypto: nodeCrypto,
    whitelist,
    trust: makeTrustStore([trusted(certifier, 'certifier'), trusted(publisher, 'publisher')]),
    policy: DEFAULT_POLICY,
    now: () => NOW,
    ...changes,
  };
}

/** Certifies bytes by the test's certifier and gives the certificate file. */
export async function certificateFor(
  bytes: Uint8Array,
  changes: Partial<Parameters<typeof certify>[1]> = {},
): Promise<Uint8Array> {
  const result = await certify(nodeCrypto, {
    report: inspectModule(nodeCrypto, bytes),
    artifactName: 'test.wasm',
    whitelist,
    certifier,
    issuedAt: NOW,
    ...changes,
  });
  if (!result.certified) throw new Error(`not certified: ${result.reason}`);
  return result.bytes;
}
