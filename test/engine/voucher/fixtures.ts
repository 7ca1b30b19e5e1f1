import type { KeyId, Sha256 } from '../../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../../engine/crypto/keys.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import type { TrustedKey } from '../../../engine/gate/types.ts';
import { nodeCrypto as crypto } from '../../../engine/platform/node/crypto.ts';
import { memoryNonceStore } from '../../../engine/voucher/nonce-store.ts';
import type { VoucherEnvironment } from '../../../engine/voucher/verify.ts';
import type { TrytetVoucherEnvironment } from '../../../engine/voucher/verify-trytet.ts';
import { type FuelGrant, type FuelVoucher, mintVoucher } from '../../../engine/voucher/voucher.ts';

export { crypto };

const seeded = (byte: number) => signerFromSeed(crypto, new Uint8Array(32).fill(byte));
export const issuer = seeded(1);
export const stranger = seeded(2);
const place = seeded(3);

/** Whole seconds, so that both sides of an expiry can be met exactly. */
export const NOW = Date.UTC(2026, 10, 20, 9, 30);
export const EXPIRY = NOW / 1000 + 60;

export const USE = {
  artifactHash: crypto.sha256(new Uint8Array([1])),
  environment: place.publicKey.keyId,
};
export const OTHER: { readonly artifactHash: Sha256; readonly environment: KeyId } = {
  artifactHash: crypto.sha256(new Uint8Array([2])),
  environment: stranger.publicKey.keyId,
};

export function mint(changes: Partial<FuelGrant> = {}, signer = issuer): Promise<FuelVoucher> {
  return mintVoucher(crypto, signer, { ...USE, fuel: 1_000, expiry: EXPIRY, ...changes });
}

/** A place that trusts `issuer`, with a memory of its own. */
export function voucherEnvironment(
  changes: Partial<VoucherEnvironment> = {},
  trusted: Partial<TrustedKey> = {},
): VoucherEnvironment {
  return {
    crypto,
    trust: makeTrustStore([{ key: issuer.publicKey, role: 'voucher-issuer', ...trusted }]),
    revokedKeys: new Set(),
    nonces: memoryNonceStore(),
    now: () => NOW,
    ...changes,
  };
}

/** The same for Trytet vouchers, as the provider `local_daemon`. */
export function trytetEnvironment(
  changes: Partial<TrytetVoucherEnvironment> = {},
): TrytetVoucherEnvironment {
  const { trust, ...rest } = voucherEnvironment();
  return { ...rest, provider: 'local_daemon', agents: trust, ...changes };
}
