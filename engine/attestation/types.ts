import type { PurityCertificate } from '../certificate/certificate.ts';
import type { KeyId, Sha256 } from '../crypto/crypto.ts';

export const ATTESTATION_FORMAT = 'attestation/1';

/** Where guests can run, as an environment states it. */
export const ISOLATION_MODES = Object.freeze(['in-thread', 'process', 'worker'] as const);

export type IsolationMode = (typeof ISOLATION_MODES)[number];

/** What an environment says of itself: what runs there, on what, and how guests are kept apart. */
export interface EnvironmentDescriptor {
  readonly runtime: { readonly name: string; readonly version: string };
  /** What runs JavaScript and WebAssembly: `node` and its version, with that of V8. */
  readonly engine: { readonly name: string; readonly version: string; readonly v8: string };
  /** The bundle that is running. */
  readonly build: {
    readonly hash: Sha256;
    /** The key id of whoever signed the build; null where nobody did. */
    readonly signer: KeyId | null;
  };
  /** The whitelist by which the environment's gate decides. */
  readonly whitelist: { readonly name: string; readonly version: number; readonly hash: Sha256 };
  readonly platform: { readonly os: string; readonly arch: string };
  readonly isolation: IsolationMode;
  /** A quote of the hardware or the like. Nothing here reads it: whoever knows its type does. */
  readonly evidence?: Evidence;
}

export interface Evidence {
  /** What it is, as a media type or a URI. */
  readonly type: string;
  /** Base64. */
  readonly data: string;
}

/** One call from elsewhere and its answer. */
export interface AttestedCall {
  /** What the caller chose so that no older answer can stand for this one: base64url of 16 to 64 bytes. */
  readonly nonce: string;
  /** SHA-256 of the input document's RFC 8785 bytes. */
  readonly inputHash: Sha256;
  /** SHA-256 of the exact output bytes; null when there are none. */
  readonly outputHash: Sha256 | null;
  /** How the call ended. */
  readonly status: string;
}

/** What an environment attests: this certified executor, here, with these receipts. */
export interface AttestationFacts {
  /** The executor's certificate, whole. */
  readonly certificate: PurityCertificate;
  /** `name@version`. */
  readonly executor: string;
  readonly environment: EnvironmentDescriptor;
  /** SHA-256 of the receipts' canonical bytes, in the order of their chain. */
  readonly receipts: readonly Sha256[];
  readonly call?: AttestedCall;
}

/** An attestation without what shows who signed it. */
export interface Attestation extends AttestationFacts {
  readonly format: typeof ATTESTATION_FORMAT;
  /** The key id of the environment, in the role `environment`. */
  readonly signer: KeyId;
}

/** The attestation record: it can be verified anywhere, from itself and a trust store alone. */
export interface AttestationRecord extends Attestation {
  /** Base64 of the environment's Ed25519 signature over the domain tag and the rest. */
  readonly signature: string;
}
