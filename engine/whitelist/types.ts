import type { Sha256 } from '../crypto/crypto.ts';

/** What a whitelist says of a function it holds. What it does not hold is impure. */
export type WhitelistClass = 'pure' | 'directive';

/** The class of an import against a whitelist (the paper's classification). */
export type ImportClass = WhitelistClass | 'impure';

export type Category =
  | 'memory'
  | 'compute'
  | 'serialization'
  | 'collection'
  | 'context'
  | 'output'
  | 'logging'
  | 'directive';

/** Value types a whitelisted function may take and give. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref';

export interface WhitelistFunction {
  readonly module: string;
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly class: WhitelistClass;
  readonly category: Category;
  /** The tag of the directive this function constructs; present exactly for class `directive`. */
  readonly directive?: string;
  readonly doc: string;
}

/** A whitelist document (DESIGN 4), validated. */
export interface WhitelistDocument {
  readonly name: string;
  readonly version: number;
  readonly functions: readonly WhitelistFunction[];
  readonly signatures?: readonly { readonly keyId: string; readonly signature: string }[];
}

/** How one import stands against a whitelist. */
export type Classification =
  | { readonly class: WhitelistClass; readonly function: WhitelistFunction }
  | { readonly class: 'impure'; readonly mismatch: 'unknown' }
  /** The module and name are listed, but with another kind or type. */
  | { readonly class: 'impure'; readonly mismatch: 'type'; readonly function: WhitelistFunction };

/** A whitelist ready to classify imports: versioned and hashed. */
export interface Whitelist {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the RFC 8785 form of the document without `signatures`. */
  readonly hash: Sha256;
  readonly functions: readonly WhitelistFunction[];
  /** Classifies by module, name, kind and type. */
  classify(entry: {
    readonly module: string;
    readonly name: string;
    readonly kind: string;
    readonly type: string;
  }): Classification;
}
