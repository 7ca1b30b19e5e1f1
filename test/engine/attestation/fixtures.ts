import { attest } from '../../../engine/attestation/record.ts';
import type {
  AttestationFacts,
  AttestationRecord,
  EnvironmentDescriptor,
} from '../../../engine/attestation/types.ts';
import { parseCertificate } from '../../../engine/certificate/parse.ts';
import type { KeyId, Signer } from '../../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../../engine/crypto/keys.ts';
import { encodeBase64 } from '../../../engine/encoding/base64.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import type { GateEnvironment, KeyRole, TrustedKey } from '../../../engine/gate/types.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { certificateFor, certifier, environment, whitelist } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';

export const crypto = nodeCrypto;

export const MODULE = assemble(`(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  (import "mashin" "get_input" (func $in (param i32)))
  (import "mashin" "set_output" (func $out (param i32 i32)))
  (import "mashin" "call_machine" (func $call (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "plan") (call $in (i32.const 0)) (call $out (i32.const 0) (call $len))))`);

export const CERTIFICATE = parseCertificate(await certificateFor(MODULE), 'it').certificate;

const seeded = (byte: number): Signer => signerFromSeed(crypto, new Uint8Array(32).fill(byte));
export const here = seeded(21);
export const elsewhere = seeded(22);
export const builder = seeded(23);

export const hashOf = (text: string) => crypto.sha256(encodeUtf8(text));

export function descriptor(changes: Partial<EnvironmentDescriptor> = {}): EnvironmentDescriptor {
  return {
    runtime: { name: 'touchstone', version: '0.1.0' },
    engine: { name: 'node', version: '20.20.2', v8: '11.3.244.8-node.38' },
    build: { hash: hashOf('build'), signer: builder.publicKey.keyId },
    whitelist: { name: whitelist.name, version: whitelist.version, hash: whitelist.hash },
    platform: { os: 'linux', arch: 'x64' },
    isolation: 'process',
    ...changes,
  };
}

export function facts(changes: Partial<AttestationFacts> = {}): AttestationFacts {
  return {
    certificate: CERTIFICATE,
    executor: 'call@1.0.0',
    environment: descriptor(),
    receipts: [hashOf('receipt 0'), hashOf('receipt 1')],
    ...changes,
  };
}

/** With all that a record can hold. */
export const FULL = facts({
  environment: descriptor({
    evidence: { type: 'application/x-tdx-quote', data: encodeBase64(new Uint8Array(300).fill(7)) },
  }),
  call: {
    nonce: 'AAECAwQFBgcICQoLDA0ODw',
    inputHash: hashOf('input'),
    outputHash: null,
    status: 'out-of-fuel',
  },
});

export function record(
  changes: Partial<AttestationFacts> = {},
  by: Signer = here,
): Promise<AttestationRecord> {
  return attest(crypto, facts(changes), by);
}

/** A key, and what it is trusted for. */
export type Trusted = readonly [Signer, KeyRole, Partial<TrustedKey>?];

/** A trust store of the test's certifier, `here` as environment and the builder; or of others. */
export function trusting(...others: readonly (readonly [Signer, KeyRole, Partial<TrustedKey>?])[]) {
  const keys = others.length > 0 ? others : TRUSTED;
  return makeTrustStore(
    keys.map(([{ publicKey }, role, more = {}]) => ({ key: publicKey, role, ...more })),
  );
}

const TRUSTED: readonly Trusted[] = [
  [certifier, 'certifier'],
  [here, 'environment'],
  [builder, 'builder'],
];

/** What the verifier decides by. */
export function verifier(changes: Partial<GateEnvironment> = {}): GateEnvironment {
  return environment({ trust: trusting(), ...changes });
}

export const CERTIFIER_ID: KeyId = certifier.publicKey.keyId;

/** A compatibility file that the record meets. */
export const COMPATIBLE = {
  format: 'compatibility/1',
  whitelists: [{ name: whitelist.name, hash: whitelist.hash }],
  minimumWhitelistVersion: { [whitelist.name]: whitelist.version },
  runtimes: [{ build: hashOf('build') }],
  certifiers: [CERTIFIER_ID],
};
