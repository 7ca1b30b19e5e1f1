import { serializeCertificate } from '../certificate/certificate.ts';
import { isEnvelopeSignedBy } from '../certificate/dsse.ts';
import type { PublicKey } from '../crypto/crypto.ts';
import { plainBytes } from '../encoding/bytes.ts';
import { shortHash } from '../encoding/display.ts';
import { canonicalBytes } from '../encoding/json.ts';
import {
  checkTrusted,
  runPolicyChecks,
  runPurityChecks,
  runPurityChecksWithoutBytes,
} from '../gate/checks.ts';
import type { CheckResult, GateEnvironment } from '../gate/types.ts';
import { signatureBytes } from '../provenance/sign.ts';
import { type Compatibility, checkCompatibility } from './compatibility.ts';
import { attestationMessage } from './record.ts';
import type { EnvelopedAttestation } from './statement.ts';
import type { Attestation, AttestationRecord } from './types.ts';

/** The steps of verification, in their order (the paper's section on attestation). */
export const ATTESTATION_STEPS = Object.freeze([
  'environment-key',
  'environment-signature',
  'certificate',
  'environment-policy',
] as const);

export type AttestationStepCode = (typeof ATTESTATION_STEPS)[number];

/** The answer of one step. `detail` says in one line what was found, and what could not be looked at. */
export interface AttestationStep {
  readonly code: AttestationStepCode;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What is asked beside the record itself. */
export interface AttestationQuestion {
  /** The bytes of the module that it is said to be about. */
  readonly artifact?: Uint8Array;
  /** What the environment must be to be worked with. */
  readonly compatibility?: Compatibility;
}

/** An attestation, and whether this key signed it. */
interface Signed {
  readonly attestation: Attestation;
  readonly isSignedBy: (key: PublicKey) => boolean;
}

interface StepFound {
  readonly ok: boolean;
  readonly detail?: string;
}

type Step = (signed: Signed, environment: GateEnvironment, asked: AttestationQuestion) => StepFound;

/** The four steps, in order: one named function, one code. */
const STEPS: readonly (readonly [AttestationStepCode, Step])[] = [
  ['environment-key', checkEnvironmentKey],
  ['environment-signature', checkEnvironmentSignature],
  ['certificate', checkCertificate],
  ['environment-policy', checkEnvironmentPolicy],
];

/**
 * Verifies a record: takes the steps of {@link ATTESTATION_STEPS} in order and stops at the first that
 * fails, which is the last one answered. Never throws for what a parsed record holds.
 *
 * - `environment-key`: the signer is in the trust store as `environment`, valid now, revoked neither
 *   there nor by the policy.
 * - `environment-signature`: it signed exactly this.
 * - `certificate`: the gate's checks 1 to 6, or those of them that need no bytes where no module is
 *   given; `detail` says which.
 * - `environment-policy`: the gate's check 8 (and 7 where the policy names versions), and the four
 *   conjuncts of `compatibility` where it is given; `detail` says when it is not.
 *
 * @param environment whom the verifier trusts, its whitelist and its policy.
 */
export function verifyAttestation(
  environment: GateEnvironment,
  record: AttestationRecord,
  asked: AttestationQuestion = {},
): readonly AttestationStep[] {
  const message = attestationMessage(record);
  const signature = signatureBytes(record.signature);
  const isSignedBy = (key: PublicKey) => environment.crypto.verify(key, message, signature);
  return takeSteps({ attestation: record, isSignedBy }, environment, asked);
}

/** As {@link verifyAttestation}, for an attestation in its DSSE form. */
export function verifyEnvelopedAttestation(
  environment: GateEnvironment,
  { attestation, envelope }: EnvelopedAttestation,
  asked: AttestationQuestion = {},
): readonly AttestationStep[] {
  const isSignedBy = (key: PublicKey) => isEnvelopeSignedBy(environment.crypto, envelope, key);
  return takeSteps({ attestation, isSignedBy }, environment, asked);
}

function takeSteps(
  signed: Signed,
  environment: GateEnvironment,
  asked: AttestationQuestion,
): readonly AttestationStep[] {
  const steps: AttestationStep[] = [];
  for (const [code, step] of STEPS) {
    const found = step(signed, environment, asked);
    steps.push({ code, ...found });
    if (!found.ok) break;
  }
  return steps;
}

/** 1: the environment's key is trusted. */
function checkEnvironmentKey({ attestation }: Signed, environment: GateEnvironment): StepFound {
  const { signer } = attestation;
  const problem = checkTrusted(signer, 'environment', environment);
  if (problem !== undefined) return failed(problem);
  return environment.policy.revokedKeys.has(signer)
    ? failed(`the policy revokes the environment's key ${shortHash(signer)}…`)
    : { ok: true };
}

/** 2: the environment signed exactly this. */
function checkEnvironmentSignature(
  { attestation: { signer }, isSignedBy }: Signed,
  { trust }: GateEnvironment,
): StepFound {
  const trusted = trust.find(signer, 'environment');
  return trusted !== undefined && isSignedBy(trusted.key)
    ? { ok: true }
    : failed(`the signature of environment ${shortHash(signer)}… does not verify`);
}

/** 3: the gate's checks 1 to 6 on the certificate, as many as can be made. */
function checkCertificate(
  { attestation: { certificate } }: Signed,
  environment: GateEnvironment,
  { artifact }: AttestationQuestion,
): StepFound {
  const candidate = candidateOf(environment, certificate);
  if (artifact === undefined) {
    const problem = problemOf(runPurityChecksWithoutBytes(candidate, environment));
    return problem ?? { ok: true, detail: WITHOUT_BYTES };
  }
  const bytes = plainBytes(artifact);
  const problem = problemOf(runPurityChecks({ ...candidate, bytes }, environment));
  return problem ?? { ok: true, detail: 'checks 1 to 6 of the gate hold for these bytes' };
}

const WITHOUT_BYTES =
  'signature, proof-binding, classification and conclusion hold; artifact-binding and proof-validation were not checked, for the module is not at hand';

/** 4: what this place demands of environments and certificates elsewhere. */
function checkEnvironmentPolicy(
  { attestation }: Signed,
  environment: GateEnvironment,
  { compatibility }: AttestationQuestion,
): StepFound {
  const candidate = candidateOf(environment, attestation.certificate);
  const problem = problemOf(runPolicyChecks(candidate, environment));
  if (problem !== undefined) return problem;
  if (compatibility === undefined) {
    return { ok: true, detail: 'the policy holds; compatibility was not asked about' };
  }
  const unmet = checkCompatibility(attestation, compatibility, environment).filter(({ ok }) => !ok);
  return unmet.length === 0
    ? { ok: true, detail: 'the policy and the four conjuncts of compatibility hold' }
    : failed(`not compatible: ${unmet.map(({ code, detail }) => `${code}: ${detail}`).join('; ')}`);
}

function candidateOf({ crypto }: GateEnvironment, certificate: Attestation['certificate']) {
  return {
    certificate,
    proofBytes: canonicalBytes(certificate.proof),
    certificateHash: crypto.sha256(serializeCertificate(certificate)),
  };
}

function problemOf(checks: readonly CheckResult[]): StepFound | undefined {
  const problem = checks.find((check) => !check.ok);
  return problem && failed(`${problem.code}: ${problem.detail ?? 'it does not hold'}`);
}

function failed(detail: string): StepFound {
  return { ok: false, detail };
}
