import { ATTESTATION_PREDICATE_TYPE } from '../../attestation/statement.ts';
import { ATTESTATION_FORMAT } from '../../attestation/types.ts';
import { PROOF_FORMAT } from '../../provenance/proof.ts';

/** What a JSON document can be whose name does not tell it. */
export type DocumentKind = 'attestations' | 'proofs' | 'whitelists';

/**
 * What a document claims to be; `undefined` for anything that an audit has no use for. Whoever reads it
 * then reads it strictly.
 */
export function documentKind(bytes: Uint8Array): DocumentKind | undefined {
  const text = new TextDecoder().decode(bytes);
  const document = tryParse(text);
  // A proof that was damaged is still meant to be one: whoever reads it says what is wrong.
  if (document === undefined) return text.includes(PROOF_FORMAT) ? 'proofs' : undefined;
  if (typeof document !== 'object' || document === null) return undefined;
  const has = (key: string) => Object.hasOwn(document, key);
  const format: unknown = has('format') ? Reflect.get(document, 'format') : undefined;
  if (format === PROOF_FORMAT) return 'proofs';
  if (format === ATTESTATION_FORMAT) return 'attestations';
  if (has('payloadType') && isAttested(Reflect.get(document, 'payload'))) return 'attestations';
  return has('name') && has('version') && has('functions') ? 'whitelists' : undefined;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON, or JSON with comments: nothing that is read here
  }
}

/** Whether the payload of an envelope states an attestation: certificates have envelopes, too. */
function isAttested(payload: unknown): boolean {
  if (typeof payload !== 'string') return false;
  return Buffer.from(payload, 'base64').includes(ATTESTATION_PREDICATE_TYPE);
}
