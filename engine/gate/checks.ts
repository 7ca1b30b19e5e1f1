import {
  certifierMessage,
  decodeSignature,
  type PurityCertificate,
  publisherMessage,
} from '../certificate/certificate.ts';
import type { Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import type { ImportEntry } from '../module/types.ts';
import { readLayout } from '../module/walker.ts';
import type { ProofImport } from '../proof/proof.ts';
import type { CheckCode, CheckResult, GateEnvironment, KeyRole } from './types.ts';

/** A certificate by itself: parsed once, never changed between the checks. */
export interface CertificateCandidate {
  readonly certificate: PurityCertificate;
  /** The RFC 8785 form of its proof. */
  readonly proofBytes: Uint8Array;
  /** SHA-256 of the certificate file. */
  readonly certificateHash: Sha256;
}

/** What the checks look at: a certificate and the module that it is said to be about. */
export interface Candidate extends CertificateCandidate {
  readonly bytes: Uint8Array;
}

/** Says why a check fails; `undefined` means that it holds. */
type Check<Asked> = (candidate: Asked, environment: GateEnvironment) => string | undefined;

/** Checks in their order: one named function, one code. */
type CheckList<Asked> = readonly (readonly [CheckCode, Check<Asked>])[];

/** The eight checks of DESIGN 5, in order. */
const CHECKS: CheckList<Candidate> = [
  ['signature', checkSignature],
  ['artifact-binding', checkArtifactBinding],
  ['proof-binding', checkProofBinding],
  ['proof-validation', checkProofValidation],
  ['classification', checkClassification],
  ['conclusion', checkConclusion],
  ['currency', checkCurrency],
  ['policy', checkPolicy],
];

/** What checks 1 to 6 say where the module's bytes are not at hand: those of them that need none. */
const PURITY_CHECKS_WITHOUT_BYTES: CheckList<CertificateCandidate> = [
  ['signature', checkSignature],
  ['proof-binding', checkProofBinding],
  ['classification', checkClassification],
  ['conclusion', checkConclusion],
];

/** Runs the checks in order and stops at the first that fails, which is the last one answered. */
export function runChecks(candidate: Candidate, environment: GateEnvironment): CheckResult[] {
  return run(CHECKS, candidate, environment);
}

/**
 * Runs checks 1 to 6 as {@link runChecks} does: all that a certificate establishes. Nothing is admitted
 * by them, for what the place demands beyond the certificate is not looked at.
 */
export function runPurityChecks(candidate: Candidate, environment: GateEnvironment): CheckResult[] {
  return run(CHECKS.slice(0, 6), candidate, environment);
}

/** As {@link runPurityChecks}, without `artifact-binding` and `proof-validation`, which need the bytes. */
export function runPurityChecksWithoutBytes(
  candidate: CertificateCandidate,
  environment: GateEnvironment,
): CheckResult[] {
  return run(PURITY_CHECKS_WITHOUT_BYTES, candidate, environment);
}

/**
 * Runs what a place demands beyond the certificate: check 8, and check 7 before it where the policy
 * itself says which versions of the whitelist it accepts.
 */
export function runPolicyChecks(
  candidate: CertificateCandidate,
  environment: GateEnvironment,
): CheckResult[] {
  const checks: CheckList<CertificateCandidate> = [
    ...(environment.policy.whitelistVersions === undefined
      ? []
      : ([['currency', checkCurrency]] as const)),
    ['policy', checkPolicy],
  ];
  return run(checks, candidate, environment);
}

function run<Asked>(
  checks: CheckList<Asked>,
  candidate: Asked,
  environment: GateEnvironment,
): CheckResult[] {
  const results: CheckResult[] = [];
  for (const [code, check] of checks) {
    const detail = check(candidate, environment);
    if (detail !== undefined) {
      results.push({ code, ok: false, detail });
      break;
    }
    results.push({ code, ok: true });
  }
  return results;
}

/** 1: the certifier is trusted and good now, and its signature verifies. */
function checkSignature({ certificate }: CertificateCandidate, environment: GateEnvironment) {
  const keyId = certificate.proof.metadata.certifier;
  const problem = checkTrusted(keyId, 'certifier', environment);
  if (problem !== undefined) return problem;
  const trusted = environment.trust.find(keyId, 'certifier');
  const message = certifierMessage(certificate.artifactHash, certificate.proofHash);
  const signature = decodeSignature(certificate.signature);
  return trusted && environment.crypto.verify(trusted.key, message, signature)
    ? undefined
    : `the signature of certifier ${shortHash(keyId)} does not verify`;
}

/** 2: the certificate is about these bytes. */
function checkArtifactBinding({ bytes, certificate }: Candidate, { crypto }: GateEnvironment) {
  const actual = crypto.sha256(bytes);
  return actual === certificate.artifactHash
    ? undefined
    : `the file changed after it was certified: its SHA-256 was ${shortHash(certificate.artifactHash)}…, is ${shortHash(actual)}…`;
}

/** 3: the proof is the one that was signed. */
function checkProofBinding(
  { certificate, proofBytes }: CertificateCandidate,
  { crypto }: GateEnvironment,
) {
  return crypto.sha256(proofBytes) === certificate.proofHash
    ? undefined
    : 'the proof was changed after it was signed';
}

/** 4: imports read from the bytes, by the gate's own reader, equal the proof's one by one. */
function checkProofValidation({ bytes, certificate }: Candidate) {
  let actual: readonly ImportEntry[];
  try {
    actual = readLayout(bytes).imports;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  const { imports } = certificate.proof;
  if (actual.length !== imports.length) {
    return `the module has ${actual.length} imports, the proof lists ${imports.length}`;
  }
  for (const [i, entry] of actual.entries()) {
    const proved = imports[i];
    if (proved === undefined || !isSameImport(entry, proved)) {
      return `import ${i} of the module is ${describeImport(entry)}, the proof says ${proved ? describeImport(proved) : 'nothing'}`;
    }
  }
  return undefined;
}

/** 5: every import classifies the same against the current whitelist. */
function checkClassification(
  { certificate }: CertificateCandidate,
  { whitelist }: GateEnvironment,
) {
  for (const entry of certificate.proof.imports) {
    const now = whitelist.classify(entry).class;
    if (now !== entry.class) {
      return `${describeImport(entry)} was proved ${entry.class}; ${whitelist.name}@${whitelist.version} says ${now}`;
    }
  }
  return undefined;
}

/** 6: the proof concludes that all imports are pure or directive, and each of them is. */
function checkConclusion({ certificate }: CertificateCandidate) {
  const { allImportsPure, imports } = certificate.proof;
  const impure = imports.find((entry) => entry.class === 'impure');
  if (impure !== undefined) return `${describeImport(impure)} is impure`;
  return allImportsPure ? undefined : 'the proof itself says that not all imports are pure';
}

/** 7: the whitelist of the proof is accepted here, and is the document that is loaded. */
function checkCurrency({ certificate }: CertificateCandidate, environment: GateEnvironment) {
  const { whitelist: current, earlierWhitelists = [], policy } = environment;
  const { name, version, hash } = certificate.proof.metadata.whitelist;
  const range = policy.whitelistVersions ?? { min: current.version, max: current.version };
  const proved = () => `certified against ${displayText(name)}@${version}`;
  if (name !== current.name || version < range.min || version > range.max) {
    return `${proved()}; accepted here: ${current.name}@${range.min}${range.max > range.min ? ` to @${range.max}` : ''}`;
  }
  const loaded = [current, ...earlierWhitelists].find((w) => w.version === version);
  if (loaded === undefined) return `${proved()}, which is not loaded here`;
  return loaded.hash === hash
    ? undefined
    : `${proved()}, but another document of that name: ${shortHash(hash)}…, loaded is ${shortHash(loaded.hash)}…`;
}

/** 8: publisher signature and revocation list, as the policy asks. */
function checkPolicy(candidate: CertificateCandidate, environment: GateEnvironment) {
  const { policy } = environment;
  const { certifier } = candidate.certificate.proof.metadata;
  if (policy.revokedCertificates.has(candidate.certificateHash)) {
    return `the policy revokes this certificate (${shortHash(candidate.certificateHash)}…)`;
  }
  if (policy.revokedKeys.has(certifier)) {
    return `the policy revokes the certifier's key ${shortHash(certifier)}…`;
  }
  return policy.publisher === 'ignore' ? undefined : checkPublisher(candidate, environment);
}

function checkPublisher({ certificate }: CertificateCandidate, environment: GateEnvironment) {
  const { publisher, artifactHash, proofHash } = certificate;
  if (publisher === undefined) {
    return environment.policy.publisher === 'required'
      ? 'the policy asks for a publisher signature; the certificate has none'
      : undefined;
  }
  const problem = checkTrusted(publisher.keyId, 'publisher', environment);
  if (problem !== undefined) return problem;
  if (environment.policy.revokedKeys.has(publisher.keyId)) {
    return `the policy revokes the publisher's key ${shortHash(publisher.keyId)}…`;
  }
  const trusted = environment.trust.find(publisher.keyId, 'publisher');
  const message = publisherMessage(artifactHash, proofHash);
  const signature = decodeSignature(publisher.signature);
  return trusted && environment.crypto.verify(trusted.key, message, signature)
    ? undefined
    : `the signature of publisher ${shortHash(publisher.keyId)}… does not verify`;
}

/**
 * Whether a key is in the trust store for this role, not revoked, and valid now: says why not, or
 * `undefined`.
 */
export function checkTrusted(
  keyId: string,
  role: KeyRole,
  { trust, now }: Pick<GateEnvironment, 'trust' | 'now'>,
): string | undefined {
  const trusted = trust.find(keyId, role);
  const who = () => `${role} ${shortHash(keyId)}…`;
  if (trusted === undefined) return `${who()} is not in the trust store`;
  if (trusted.revoked !== undefined) return `${who()} is revoked: ${displayText(trusted.revoked)}`;
  const time = now();
  if (trusted.validFrom !== undefined && time < trusted.validFrom) {
    return `${who()} is trusted only from ${day(trusted.validFrom)}`;
  }
  if (trusted.validUntil !== undefined && time >= trusted.validUntil) {
    return `${who()} was trusted only until ${day(trusted.validUntil)}`;
  }
  return undefined;
}

function isSameImport(a: ImportEntry, b: ProofImport): boolean {
  return a.module === b.module && a.name === b.name && a.kind === b.kind && a.type === b.type;
}

function describeImport(entry: ImportEntry | ProofImport): string {
  return `${displayText(entry.module)}.${displayText(entry.name)} (${entry.kind} ${displayText(entry.type)})`;
}

function day(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
