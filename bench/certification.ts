// A certifier, and a gate that trusts it: what benchmarks need to have an executor admitted.

import { certify } from '../engine/certificate/certify.ts';
import type { Signer } from '../engine/crypto/crypto.ts';
import { createGate, type Gate } from '../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../engine/gate/policy.ts';
import { makeTrustStore } from '../engine/gate/trust-store.ts';
import { inspectModule } from '../engine/module/report.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { builtInWhitelist } from '../engine/whitelist/whitelist.ts';

export interface Certification {
  readonly gate: Gate;
  /** The certificate file of a module. @throws {Error} for a module that is not pure. */
  certify(bytes: Uint8Array, name: string): Promise<Uint8Array>;
}

export function certificationBy(certifier: Signer): Certification {
  const whitelist = builtInWhitelist(nodeCrypto);
  return {
    gate: createGate({
      crypto: nodeCrypto,
      whitelist,
      trust: makeTrustStore([{ key: certifier.publicKey, role: 'certifier' }]),
      policy: DEFAULT_POLICY,
      now: Date.now,
    }),
    certify: async (bytes, name) => {
      const result = await certify(nodeCrypto, {
        report: inspectModule(nodeCrypto, bytes),
        artifactName: `${name}.wasm`,
        whitelist,
        certifier,
        issuedAt: Date.now(),
      });
      if (!result.certified) throw new Error(`${name} was not certified: ${result.reason}`);
      return result.bytes;
    },
  };
}
