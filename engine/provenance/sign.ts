import type { Crypto, Signer } from '../crypto/crypto.ts';
import { isOwnSigner } from '../crypto/keys.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { InputError } from '../encoding/input-error.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import type { SignedReceipt } from './types.ts';
import { signedText } from './write.ts';

/** A receipt before it is signed. */
export type UnsignedReceipt = Omit<SignedReceipt, 'signature'>;

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

/**
 * Signs a receipt as the environment. The signature is verified before it is answered, since a
 * receipt with a wrong one would spoil its chain for good.
 * @throws {InputError} `invalid-key` when the signer's signature does not verify under its own key
 * or the receipt names another signer; whatever the signer throws.
 */
export async function signReceipt(
  crypto: Crypto,
  unsigned: UnsignedReceipt,
  signer: Signer,
): Promise<SignedReceipt> {
  if (unsigned.signer !== signer.publicKey.keyId) throw wronglySigned();
  const signature = await signVerified(crypto, signer, receiptMessage(unsigned));
  return { ...unsigned, signature: encodeBase64(signature) };
}

/**
 * Signs the message of a receipt among as many as become durable together.
 * @param isLast whether this one is the last of them.
 * @throws {InputError} as {@link signReceipt}.
 */
export async function signAmongMany(
  crypto: Crypto,
  signer: Signer,
  message: Uint8Array,
  isLast: boolean,
): Promise<Uint8Array> {
  if (isLast || !isOwnSigner(signer)) return signVerified(crypto, signer, message);
  // A key of this process signs deterministically (RFC 8032 section 5.1.6), so a passing fault of the
  // machine shows in a second signature, which costs a third of a verification. A lasting one would
  // repeat itself, but the last receipt of the group, which is verified, would show it, and then none
  // of them is written.
  const signature = await signer.sign(message);
  if (!equalBytes(signature, await signer.sign(message))) throw wronglySigned();
  return signature;
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

/** The error for a signature that does not verify, or another signer than the receipt names. */
export function wronglySigned(): InputError {
  return new InputError(
    'invalid-key',
    'the environment key signed a receipt wrongly: its signature does not verify',
  );
}
