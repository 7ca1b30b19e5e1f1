import type { Sha256 } from '../crypto/crypto.ts';
import type { PurityProof } from '../proof/proof.ts';

/** The payload type of an in-toto statement in a DSSE envelope. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** The type of every in-toto Statement v1. */
export const IN_TOTO_STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

export const PURITY_PREDICATE_TYPE = 'urn:touchstone:purity-proof:1';

/** An in-toto Statement v1 whose predicate is a purity proof. */
export interface InTotoStatement {
  readonly _type: typeof IN_TOTO_STATEMENT_TYPE;
  readonly subject: readonly [
    { readonly name: string; readonly digest: { readonly sha256: Sha256 } },
  ];
  readonly predicateType: typeof PURITY_PREDICATE_TYPE;
  readonly predicate: PurityProof;
}

/** States that the artifact with this name and digest has this purity proof. */
export function inTotoStatement(
  name: string,
  sha256: Sha256,
  predicate: PurityProof,
): InTotoStatement {
  return {
    _type: IN_TOTO_STATEMENT_TYPE,
    subject: [{ name, digest: { sha256 } }],
    predicateType: PURITY_PREDICATE_TYPE,
    predicate,
  };
}
