// The library, sorted by folder. What is not exported here is internal: above all, nothing that
// would run bytes which the gate has not admitted.

export {
  checkCompatibility,
  parseCompatibility,
} from './attestation/compatibility.ts';
export {
  attest,
  attestationHash,
  parseAttestation,
  serializeAttestation,
} from './attestation/record.ts';
export {
  attestationStatement,
  parseEnvelopedAttestation,
  signAttestationStatement,
} from './attestation/statement.ts';
export type * from './attestation/types.ts';
export { verifyAttestation, verifyEnvelopedAttestation } from './attestation/verify.ts';
export {
  type PublisherSignature,
  type PurityCertificate,
  serializeCertificate,
} from './certificate/certificate.ts';
export { type CertifyRequest, type CertifyResult, certify } from './certificate/certify.ts';
export type { DsseEnvelope } from './certificate/dsse.ts';
export type { InTotoStatement } from './certificate/in-toto.ts';
export { type ParsedCertificate, parseCertificate } from './certificate/parse.ts';
export * from './crypto/crypto.ts';
export {
  parsePrivateKeyPem,
  parsePublicKeyPem,
  privateKeyPem,
  publicKeyFromRaw,
  publicKeyPem,
  signerFromSeed,
} from './crypto/keys.ts';
export { nobleCrypto } from './crypto/noble.ts';
export { displayText } from './encoding/display.ts';
export { InputError, type InputErrorCode } from './encoding/input-error.ts';
export {
  canonicalBytes,
  canonicalJson,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  parseJson,
} from './encoding/json.ts';
export {
  type Admission,
  AdmissionError,
  type AdmissionRequest,
  type AdmittedExecutor,
  createGate,
  type Gate,
} from './gate/admit.ts';
export { DEFAULT_POLICY } from './gate/policy.ts';
export {
  EMPTY_TRUST_STORE,
  makeTrustStore,
  parseTrustStore,
  serializeTrustStore,
} from './gate/trust-store.ts';
export * from './gate/types.ts';
export { type Agency, parseAgency } from './governance/agency.ts';
export type * from './governance/effect.ts';
export { type Governing, govern } from './governance/govern.ts';
export type * from './governance/hook.ts';
export { type GovernancePolicy, type PolicyFile, parsePolicy } from './governance/policy-file.ts';
export { allowed, parseCapability, TRUST_LEVELS } from './governance/trust.ts';
export type * from './governance/types.ts';
export {
  type GovernedRunRequest,
  governedRun,
  type RunReport,
  type RunServices,
} from './governed/run.ts';
export type { StateRequest } from './governed/state.ts';
export { countAgreeing, requireAgreement } from './module/agreement.ts';
export { recipeFor } from './module/recipes.ts';
export { inspectModule } from './module/report.ts';
export type * from './module/types.ts';
export { readLayout } from './module/walker.ts';
export { assembleWat } from './module/wat.ts';
export { compareCase, type ExecutorCase, type Expectation, parseCase } from './project/case.ts';
export { type Manifest, parseManifest, readManifest } from './project/manifest.ts';
export { type ProofImport, type ProofMetadata, type PurityProof, prove } from './proof/proof.ts';
export { type ChainVerdict, createChainVerifier, verifyChain } from './provenance/chain.ts';
export { memoryReceiptStore } from './provenance/memory-store.ts';
export {
  type BatchProof,
  type ProofVerdict,
  parseProof,
  proveReceipt,
  type ReceiptProof,
  serializeProof,
  verifyProof,
} from './provenance/proof.ts';
export { parseReceipt, serializeReceipt } from './provenance/receipt.ts';
export {
  parseSnapshot,
  type Snapshot,
  type SnapshotEnvironment,
  type SnapshotFacts,
  type SnapshotHeader,
  type VerifiedState,
  verifySnapshot,
  writeSnapshot,
} from './provenance/snapshot.ts';
export {
  type Appended,
  type ReceiptChain,
  type ReceiptStore,
  verifyStoredChain,
} from './provenance/store.ts';
export type * from './provenance/types.ts';
export {
  type Examination,
  type ExaminedArtifact,
  examineExecutor,
  examineModule,
} from './rules/examine.ts';
export { RULES, type RuleCode } from './rules/rules.ts';
export { type SarifLog, toSarif } from './rules/sarif.ts';
export type { Diagnostic, Severity } from './rules/types.ts';
export type { Clock, PhaseBudget } from './runtime/budget.ts';
export { inputBytes } from './runtime/input.ts';
export { type ExecuteOptions, type Isolation, inThread } from './runtime/isolation.ts';
export type { StateJob } from './runtime/job.ts';
export type { MemoryProfile } from './runtime/profiles.ts';
export { type RunRequest, runExecutor } from './runtime/run.ts';
export * from './runtime/types.ts';
export { parseTrytetRequest, type TrytetRequest } from './trytet/request.ts';
export type {
  TrytetCrash,
  TrytetErrorType,
  TrytetResult,
  TrytetRun,
  TrytetStatus,
} from './trytet/result.ts';
export { runTrytetRequest, type TrytetServices, type TrytetVouchers } from './trytet/run.ts';
export { type IssuedNonce, memoryNonceStore, type NonceStore } from './voucher/nonce-store.ts';
export { type Spending, spendVoucher } from './voucher/spend.ts';
export {
  mintTrytetVoucher,
  parseTrytetVoucher,
  serializeTrytetVoucher,
  type TrytetGrant,
  type TrytetVoucher,
} from './voucher/trytet-voucher.ts';
export {
  VOUCHER_CHECK_CODES,
  type VoucherCheck,
  type VoucherCheckCode,
  type VoucherEnvironment,
  type VoucherUse,
  verifyVoucher,
} from './voucher/verify.ts';
export {
  spendTrytetVoucher,
  TRYTET_CHECK_CODES,
  type TrytetCheckCode,
  type TrytetSpending,
  type TrytetVoucherEnvironment,
  verifyTrytetVoucher,
} from './voucher/verify-trytet.ts';
export {
  type FuelGrant,
  type FuelVoucher,
  mintVoucher,
  parseVoucher,
  serializeVoucher,
} from './voucher/voucher.ts';
export { diffWhitelists, staysClassified, type WhitelistDiff } from './whitelist/diff.ts';
export {
  CAPABILITIES,
  type Capability,
  DIRECTIVES,
  type DirectiveKind,
  type DirectiveParameter,
} from './whitelist/directives.ts';
export { suggestFunction } from './whitelist/suggest.ts';
export type * from './whitelist/types.ts';
export { builtInWhitelist, functionTypeText, parseWhitelist } from './whitelist/whitelist.ts';
