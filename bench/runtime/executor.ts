import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signerFromSeed } from '../../engine/crypto/keys.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../engine/encoding/json.ts';
import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import type { Policy } from '../../engine/governance/types.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../engine/runtime/types.ts';
import { certificationBy } from '../certification.ts';

/** The executor that governed runs are measured with, certified and admitted, and how it is run. */
export interface Subject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly executor: AdmittedExecutor;
  readonly input: JsonValue;
  readonly limits: RunLimits;
  readonly policy: Policy;
}

const CASE = 'calls-one-machine-with-expanded-inputs.json';

/** Certifies and admits `examples/call`, and takes the input of one of its cases. */
export async function admitCall(): Promise<Subject> {
  const bytes = new Uint8Array(readFileSync(join('examples', 'call', 'build', 'call.wasm')));
  const certifier = signerFromSeed(nodeCrypto, nodeCrypto.randomBytes(32));
  const { gate, certify } = certificationBy(certifier);
  const certificate = await certify(bytes, 'call');
  const admission = gate.admit({ tier: 1, bytes, certificate });
  if (!admission.admitted) throw new Error('call was not admitted');
  return {
    bytes,
    executor: admission.executor,
    input: readInput(),
    limits: DEFAULT_LIMITS,
    policy: { trust: 'reviewed', declared: ['machine.call'], grants: new Set() },
  };
}

function readInput(): JsonValue {
  const file = join('examples', 'call', 'cases', CASE);
  const example = parseJson(readFileSync(file), file);
  if (!isJsonObject(example)) throw new Error(`${file} holds no case`);
  return example.input ?? null;
}
