import { concatBytes } from '@noble/hashes/utils.js';
import { base64nopad, base64url, base64urlnopad } from '@scure/base';
import { z } from 'zod';
import type { Crypto, PublicKey, Signer } from '../crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

/** A DSSE envelope (DSSE v1.0.2, protocol and envelope). */
export interface DsseEnvelope {
  /** Base64. */
  readonly payload: string;
  readonly payloadType: string;
  /** `keyid` is a hint and never decides anything; `sig` is base64. */
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** Pre-authentication encoding: `DSSEv1 SP len(type) SP type SP len(body) SP body`, lengths in bytes. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeUtf8(payloadType);
  return concatBytes(
    encodeUtf8(`DSSEv1 ${type.length} `),
    type,
    encodeUtf8(` ${payload.length} `),
    payload,
  );
}

/** Signs `payload` into an envelope with one signature. */
export async function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signer: Signer,
): Promise<DsseEnvelope> {
  const signature = await signer.sign(preAuthenticationEncoding(payloadType, payload));
  return {
    payload: encodeBase64(payload),
    payloadType,
    signatures: [{ keyid: signer.publicKey.keyId, sig: encodeBase64(signature) }],
  };
}

/** An envelope of more signatures than this is refused. */
const MAX_SIGNATURES = 64;

/** An envelope with its base64 decoded, once: what is verified and what is parsed are the same bytes. */
export interface DecodedEnvelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signatures: readonly Uint8Array[];
}

/** Fields that the specification does not name are ignored, as it demands; an absent `keyid` is empty. */
const envelopeSchema = z.object({
  payload: z.string(),
  payloadType: z.string(),
  signatures: z
    .array(z.object({ keyid: z.string().optional(), sig: z.string() }))
    .min(1)
    .max(MAX_SIGNATURES),
});

/**
 * Parses an envelope, with its base64 in either alphabet. Nothing is verified here. `keyid` is left
 * out: a hint that nobody signed.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-attestation`, `invalid-json` or `invalid-utf8`.
 */
export function parseEnvelope(bytes: Uint8Array, what: string): DecodedEnvelope {
  const parsed = envelopeSchema.safeParse(parseJson(bytes, what));
  if (!parsed.success) throw notAnEnvelope(what, describeIssues(parsed.error));
  const { payload, payloadType, signatures } = parsed.data;
  return {
    payload: decode(payload, what, 'payload'),
    payloadType,
    signatures: signatures.map(({ sig }, i) => decode(sig, what, `signatures.${i}.sig`)),
  };
}

/** Whether one of the envelope's signatures is by this key, over the payload and its type. */
export function isEnvelopeSignedBy(
  crypto: Crypto,
  { payload, payloadType, signatures }: DecodedEnvelope,
  key: PublicKey,
): boolean {
  const message = preAuthenticationEncoding(payloadType, payload);
  return signatures.some((signature) => crypto.verify(key, message, signature));
}

/** Base64 in the standard or the URL-safe alphabet (RFC 4648 sections 4 and 5), padded or not. */
function decode(text: string, what: string, field: string): Uint8Array {
  const decoded = tryDecodeBase64(text);
  if (decoded !== undefined) return decoded;
  for (const coder of [base64url, base64urlnopad, base64nopad]) {
    try {
      return coder.decode(text);
    } catch {
      // It may be in another of the spellings.
    }
  }
  throw notAnEnvelope(what, `${field} is not base64`);
}

function notAnEnvelope(what: string, problem: string): InputError {
  return new InputError('invalid-attestation', `${what} is not a DSSE envelope: ${problem}`);
}
