import { parseCertificate } from '../certificate/parse.ts';
import type { Sha256 } from '../crypto/crypto.ts';
import { plainBytes } from '../encoding/bytes.ts';
import { displayText } from '../encoding/display.ts';
import type { ImportEntry } from '../module/types.ts';
import { compareWithV8 } from '../module/v8-opinion.ts';
import { requireFewTypes } from '../module/v8-validity.ts';
import { readLayout } from '../module/walker.ts';
import type { Whitelist } from '../whitelist/types.ts';
import { type Candidate, runChecks } from './checks.ts';
import {
  type CheckCode,
  type CheckResult,
  type GateEnvironment,
  PURITY_METHODS,
  type PurityMethod,
  type Tier,
} from './types.ts';

/** What the runtime gets of an admitted executor, and nobody else. */
export interface AdmittedContents {
  /** A copy, each time, of the bytes that the gate admitted and V8 accepted. */
  readonly copyBytes: () => Uint8Array<ArrayBuffer>;
  readonly imports: readonly ImportEntry[];
  readonly whitelist: Whitelist;
}

/** Why the runtime is refused an executor: a forged object, or an admission that no longer holds. */
export class AdmissionError extends Error {
  override readonly name = 'AdmissionError';
}

/** True until the gate's environment changes. */
interface Epoch {
  current: boolean;
}

interface Admitted extends AdmittedContents {
  readonly epoch: Epoch;
  /** Milliseconds since the Unix epoch at which a key that admitted it stops counting. */
  readonly validUntil: number;
  readonly now: () => number;
}

// Only this file holds the key that lets the constructor pass, and the function that opens an
// executor: whatever hangs on the class, an executor's `constructor` would give to everybody.
const MAKER = Symbol('gate');
let open: (executor: Executor) => Admitted;

class Executor {
  /** SHA-256 of the module's bytes. */
  readonly artifactHash: Sha256;
  /** SHA-256 of the certificate file; null for tiers 2 and 3. */
  readonly certificateHash: Sha256 | null;
  readonly whitelistHash: Sha256;
  readonly tier: Tier;
  readonly purityMethod: PurityMethod;
  readonly #admitted: Admitted;

  constructor(
    maker: symbol,
    about: Pick<Executor, 'artifactHash' | 'certificateHash' | 'tier'>,
    admitted: Admitted,
  ) {
    if (maker !== MAKER || new.target !== Executor) {
      throw new AdmissionError('an admitted executor is made by the gate only');
    }
    this.artifactHash = about.artifactHash;
    this.certificateHash = about.certificateHash;
    this.whitelistHash = admitted.whitelist.hash;
    this.tier = about.tier;
    this.purityMethod = PURITY_METHODS[about.tier];
    this.#admitted = admitted;
    Object.freeze(this);
  }

  static {
    Object.freeze(Executor.prototype);
    open = (executor) => {
      if (typeof executor !== 'object' || executor === null || !(#admitted in executor)) {
        throw new AdmissionError('this is not an executor that the gate admitted');
      }
      return executor.#admitted;
    };
  }
}

/**
 * A module that passed the gate. {@link createGate} is the only way to one: the class has
 * no public constructor, its contents are private at run time, and a copy or a look-alike is refused.
 */
export type AdmittedExecutor = Executor;

/**
 * Opens an admitted executor for the runtime.
 * @throws {AdmissionError} for an object that the gate did not make, or whose admission was dropped
 * by a change of whitelist, keys or policy, or whose certifier's key has since expired.
 */
export function openAdmitted(executor: AdmittedExecutor): AdmittedContents {
  const { epoch, validUntil, now, copyBytes, imports, whitelist } = open(executor);
  if (!epoch.current) {
    throw new AdmissionError(
      'the whitelist, keys or policy changed since the executor was admitted',
    );
  }
  if (now() >= validUntil) {
    throw new AdmissionError('the certifier is no longer trusted: its validity has ended');
  }
  return { copyBytes, imports, whitelist };
}

/** What is asked of the gate. */
export type AdmissionRequest = {
  /** Not changed by anyone until `admit` returns; a shared buffer is copied. */
  readonly bytes: Uint8Array;
  /** The tier its project designates; a weaker one than this is never given. */
  readonly designatedTier?: Tier;
} & (
  | {
      readonly tier: 1;
      /** The certificate file's bytes. */
      readonly certificate: Uint8Array;
      /** Names the certificate file in messages. */
      readonly certificateName?: string;
    }
  | { readonly tier: 2 | 3 }
);

/** The gate's answer; `checks` are those that were made, the last one failed if not admitted. */
export type Admission =
  | {
      readonly admitted: true;
      readonly executor: AdmittedExecutor;
      readonly checks: readonly CheckResult[];
    }
  | {
      readonly admitted: false;
      readonly failed: CheckCode;
      readonly detail: string;
      readonly checks: readonly CheckResult[];
    };

export interface Gate {
  /**
   * Admits a module or says which check failed. Synchronous, so that nothing can change the bytes
   * between their hash and their compilation.
   * @throws {InputError} `invalid-certificate`, `invalid-json` or `invalid-utf8` for a certificate
   * that cannot be read; for tiers 2 and 3 also `invalid-module`, `component-not-module` and
   * `too-large`.
   */
  admit(request: AdmissionRequest): Admission;
  /** The checks of tier 1 alone, without compiling. Errors as {@link Gate.admit}. */
  verify(
    bytes: Uint8Array,
    certificate: Uint8Array,
    certificateName?: string,
  ): readonly CheckResult[];
  /** Puts another environment in force and drops every executor admitted under the one before. */
  update(environment: GateEnvironment): void;
}

/** Makes a gate that decides by `environment`. */
export function createGate(environment: GateEnvironment): Gate {
  let inForce = { environment, epoch: { current: true } };
  return Object.freeze({
    admit: (request: AdmissionRequest) =>
      admit(privateCopy(request), inForce.environment, inForce.epoch),
    verify: (bytes: Uint8Array, certificate: Uint8Array, certificateName?: string) =>
      runChecks(
        makeCandidate(
          plainBytes(bytes),
          plainBytes(certificate),
          certificateName,
          inForce.environment,
        ),
        inForce.environment,
      ),
    update: (next: GateEnvironment) => {
      inForce.epoch.current = false;
      inForce = { environment: next, epoch: { current: true } };
    },
  });
}

function admit(request: AdmissionRequest, environment: GateEnvironment, epoch: Epoch): Admission {
  const tierProblem = checkTier(request, environment);
  if (tierProblem !== undefined) return refuse([], 'policy', tierProblem);
  return request.tier === 1
    ? admitCertified(request, environment, epoch)
    : admitUncertified(request, environment, epoch);
}

function checkTier(
  { tier, designatedTier }: AdmissionRequest,
  { policy }: GateEnvironment,
): string | undefined {
  // Fail closed: what is no tier is not compared as if it were one.
  if (!isTier(tier) || (designatedTier !== undefined && !isTier(designatedTier))) {
    return 'a tier is 1, 2 or 3';
  }
  if (tier > policy.minimumTier) {
    return `tier ${tier} is weaker than tier ${policy.minimumTier}, the minimum here`;
  }
  if (designatedTier !== undefined && tier > designatedTier) {
    return `the executor is designated tier ${designatedTier} and cannot be loaded as tier ${tier}`;
  }
  return undefined;
}

function isTier(value: unknown): value is Tier {
  return value === 1 || value === 2 || value === 3;
}

function admitCertified(
  request: AdmissionRequest & { readonly tier: 1 },
  environment: GateEnvironment,
  epoch: Epoch,
): Admission {
  const { bytes, certificate, certificateName } = request;
  const candidate = makeCandidate(bytes, certificate, certificateName, environment);
  const checks = runChecks(candidate, environment);
  const failed = checks.find((check) => !check.ok);
  if (failed !== undefined) return refuse(checks.slice(0, -1), failed.code, failed.detail ?? '');
  return compile(bytes, environment, checks, epoch, {
    tier: 1,
    artifactHash: candidate.certificate.artifactHash,
    certificateHash: candidate.certificateHash,
    validUntil: earliestExpiry(candidate, environment),
  });
}

/** Tier 2 needs every import to classify as pure or directive; tier 3 needs nothing. */
function admitUncertified(
  { bytes, tier }: AdmissionRequest & { readonly tier: 2 | 3 },
  environment: GateEnvironment,
  epoch: Epoch,
): Admission {
  const { imports, sections } = readLayout(bytes);
  requireFewTypes(bytes, sections); // no certifier has seen to it that V8 can compile this
  const checks: CheckResult[] = [];
  if (tier === 2) {
    const impure = imports.find((e) => environment.whitelist.classify(e).class === 'impure');
    if (impure !== undefined) {
      const name = `${displayText(impure.module)}.${displayText(impure.name)}`;
      return refuse([], 'conclusion', `${name} is impure, so tier 2 cannot take the module`);
    }
    checks.push({ code: 'conclusion', ok: true });
  }
  return compile(bytes, environment, checks, epoch, {
    tier,
    artifactHash: environment.crypto.sha256(bytes),
    certificateHash: null,
    validUntil: Number.POSITIVE_INFINITY,
  });
}

function compile(
  bytes: Uint8Array,
  environment: GateEnvironment,
  checks: readonly CheckResult[],
  epoch: Epoch,
  about: {
    readonly tier: Tier;
    readonly artifactHash: Sha256;
    readonly certificateHash: Sha256 | null;
    readonly validUntil: number;
  },
): Admission {
  const { imports } = readLayout(bytes);
  const passed = checks.filter((check) => check.code !== 'proof-validation');
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(passed, 'proof-validation', `V8 refuses the module: ${displayText(reason, 300)}`);
  }
  // V8 links the module, so its reading counts before anything runs (DESIGN 3).
  const opinion = compareWithV8(imports, module);
  if (opinion.outcome !== 'agrees') return refuse(passed, 'proof-validation', opinion.detail);
  const own = new Uint8Array(bytes);
  const executor = new Executor(MAKER, about, {
    copyBytes: () => own.slice(),
    imports,
    whitelist: environment.whitelist,
    epoch,
    validUntil: about.validUntil,
    now: environment.now,
  });
  return { admitted: true, executor, checks };
}

function makeCandidate(
  bytes: Uint8Array,
  certificate: Uint8Array,
  certificateName = 'the certificate',
  { crypto }: GateEnvironment,
): Candidate {
  return {
    bytes,
    ...parseCertificate(certificate, certificateName),
    certificateHash: crypto.sha256(certificate),
  };
}

function earliestExpiry({ certificate }: Candidate, { trust, policy }: GateEnvironment): number {
  const certifier = trust.find(certificate.proof.metadata.certifier, 'certifier');
  const publisher =
    certificate.publisher !== undefined && policy.publisher !== 'ignore'
      ? trust.find(certificate.publisher.keyId, 'publisher')
      : undefined;
  return Math.min(
    certifier?.validUntil ?? Number.POSITIVE_INFINITY,
    publisher?.validUntil ?? Number.POSITIVE_INFINITY,
  );
}

function refuse(passed: readonly CheckResult[], failed: CheckCode, detail: string): Admission {
  return {
    admitted: false,
    failed,
    detail,
    checks: [...passed, { code: failed, ok: false, detail }],
  };
}

/** Reads every field of a request once: a getter or a proxy cannot answer differently later. */
function privateCopy(request: AdmissionRequest): AdmissionRequest {
  const copy = { ...request };
  const bytes = plainBytes(copy.bytes);
  return copy.tier === 1
    ? { ...copy, bytes, certificate: plainBytes(copy.certificate) }
    : { ...copy, bytes };
}
