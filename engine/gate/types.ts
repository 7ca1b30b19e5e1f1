import type { Crypto, KeyId, PublicKey, Sha256 } from '../crypto/crypto.ts';
import type { Whitelist } from '../whitelist/types.ts';

/**
 * How much is known of an executor's purity: 1 certified and admitted by the gate, 2 its imports
 * classify as pure but nobody certified it, 3 unchecked, for development only.
 */
export type Tier = 1 | 2 | 3;

/** The name of each tier in receipts. */
export type PurityMethod = 'wasm_certified' | 'static_analysis' | 'unchecked';

export const PURITY_METHODS: Readonly<Record<Tier, PurityMethod>> = Object.freeze({
  1: 'wasm_certified',
  2: 'static_analysis',
  3: 'unchecked',
});

/** The gate's checks, in their order (DESIGN 5; the paper's section on the gate). */
export const CHECK_CODES = Object.freeze([
  'signature',
  'artifact-binding',
  'proof-binding',
  'proof-validation',
  'classification',
  'conclusion',
  'currency',
  'policy',
] as const);

export type CheckCode = (typeof CHECK_CODES)[number];

/** The answer of one check. `detail` says what was found, in one line for a person. */
export interface CheckResult {
  readonly code: CheckCode;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What a key in the trust store is trusted for. */
export type KeyRole =
  | 'certifier'
  | 'publisher'
  | 'environment'
  | 'whitelist-authority'
  | 'voucher-issuer'
  | 'builder';

export interface TrustedKey {
  readonly key: PublicKey;
  readonly role: KeyRole;
  /** What people call it. */
  readonly label?: string;
  /** Milliseconds since the Unix epoch; outside of them the key counts for nothing. */
  readonly validFrom?: number;
  readonly validUntil?: number;
  /** Why the key is revoked; present means it counts for nothing, whenever it signed. */
  readonly revoked?: string;
}

/** The keys that are trusted here, each for its role. */
export interface TrustStore {
  readonly keys: readonly TrustedKey[];
  find(keyId: string, role: KeyRole): TrustedKey | undefined;
}

/** What a place demands beyond the certificate itself (check 8, and the tiers it allows). */
export interface GatePolicy {
  /** The weakest tier that is admitted: 1 admits certified executors only, 3 admits all. */
  readonly minimumTier: Tier;
  /** Whitelist versions accepted by check 7; absent means exactly the current one. */
  readonly whitelistVersions?: { readonly min: number; readonly max: number };
  /**
   * `required`: a publisher signature by a trusted publisher; `if-present`: one that is there must
   * be by a trusted publisher; `ignore`: not looked at.
   */
  readonly publisher: 'required' | 'if-present' | 'ignore';
  /** SHA-256 of certificate files that are no longer good. */
  readonly revokedCertificates: ReadonlySet<Sha256>;
  /** Keys, of any role, whose signatures are no longer good. */
  readonly revokedKeys: ReadonlySet<KeyId>;
}

/** Everything the gate decides by. A value: to change it, make another and update the gate. */
export interface GateEnvironment {
  readonly crypto: Crypto;
  /** The current whitelist. */
  readonly whitelist: Whitelist;
  /** Earlier versions that are loaded, for policies that accept a range of them. */
  readonly earlierWhitelists?: readonly Whitelist[];
  readonly trust: TrustStore;
  readonly policy: GatePolicy;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}
