import type { Crypto, Signer } from '../crypto/crypto.ts';
import { isOwnSigner } from '../crypto/keys.ts';
import { tryDecodeBase64 } from '../encoding/base64.ts';
import { InputError } from '../encoding/input-error.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import type { SignedReceipt } from './types.ts';
import { signedText } from './write.ts';

/** A receipt before it is signed. */
type UnsignedReceipt = Omit<SignedReceipt, 'signature'>;

/** Comes before what is signed of a receipt. */
export const RECEIPT_TAG = 'touchstone/receipt/1\n';

/**
 * What the environment signs: `touchstone/receipt/1\n` ‖ RFC 8785 of the receipt without `signature`.
 * @throws {InputError} `invalid-receipt` for a value that a reader would refuse.
 */
export function receiptMessage(receipt: UnsignedReceipt): Uint8Array {
  return encodeUtf8(RECEIPT_TAG + signedText(receipt).unsigned);
}

/** The 64 bytes of a signature in base64; empty, which never verifies, where it is not base64. */
export function signatureBytes(signature: string): Uint8Array {
  return tryDecodeBase64(signature) ?? new Uint8Array(0);
}

/** Of the signatures by a key of this process, the first and each of this many after it are verified. */
const VERIFIED_EVERY = 64;

/** How many signatures each key of this process has made here. */
const signaturesMade = new WeakMap<Signer, number>();

/**
 * The signature of the message of a single receipt. A wrong one would spoil its chain for good, so one
 * that was made elsewhere is verified. A key of this process belongs to its public key and signs the same
 * way each time (RFC 8032 section 5.1.6): of its signatures the first is verified and one of 64 after it,
 * since a verification takes three times as long as a signature.
 * @throws {InputError} `invalid-key` when it does not verify; whatever the signer throws.
 */
export async function signChecked(
  crypto: Crypto,
  signer: Signer,
  message: Uint8Array,
): Promise<Uint8Array> {
  return isCheckDue(signer) ? signVerified(crypto, signer, message) : signer.sign(message);
}

/**
 * The signature of `message`, once it has verified under the signer's own key.
 * @throws {InputError} `invalid-key` when it does not; whatever the signer throws.
 */
export async function signVerified(
  crypto: Crypto,
  signer: Signer,
  message: Uint8Array,
): Promise<Uint8Array> {
  const signature = await signer.sign(message);
  if (!crypto.verify(signer.publicKey, message, signature)) throw wronglySigned();
  return signature;
}

function isCheckDue(signer: Signer): boolean {
  if (!isOwnSigner(signer)) return true;
  const made = signaturesMade.get(signer) ?? 0;
  signaturesMade.set(signer, made + 1);
  return made % VERIFIED_EVERY === 0;
}

/** The error for a signature that does not verify, or another signer than the receipt names. */
export function wronglySigned(): InputError {
  return new InputError(
    'invalid-key',
    'the environment key signed a receipt wrongly: its signature does not verify',
  );
}
