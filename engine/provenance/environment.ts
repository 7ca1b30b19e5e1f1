import type { Crypto, PublicKey } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import type { TrustStore } from '../gate/types.ts';
import { signatureBytes } from './sign.ts';
import type { Receipt } from './types.ts';

/** The key of the environment that signs something, if it is trusted; else why not, for a person. */
export function trustedEnvironment(
  trust: TrustStore,
  { signer }: Pick<Receipt, 'signer'>,
): PublicKey | string {
  const trusted = trust.find(signer, 'environment');
  const who = `environment ${shortHash(signer)}…`;
  if (trusted === undefined) return `${who} is not in the trust store`;
  if (trusted.revoked !== undefined) return `${who} is revoked: ${displayText(trusted.revoked)}`;
  return trusted.key;
}

/**
 * Why what an environment signed does not count, for a person; `undefined` where it does.
 * @param signed names the environment, and has its signature in base64.
 * @param message the bytes that were signed.
 * @param what names the signature where it does not verify.
 */
export function signatureProblem(
  crypto: Crypto,
  trust: TrustStore,
  signed: Pick<Receipt, 'signer'> & { readonly signature: string },
  message: Uint8Array,
  what = `the signature of environment ${shortHash(signed.signer)}…`,
): string | undefined {
  const key = trustedEnvironment(trust, signed);
  if (typeof key === 'string') return key;
  return crypto.verify(key, message, signatureBytes(signed.signature))
    ? undefined
    : `${what} does not verify`;
}
