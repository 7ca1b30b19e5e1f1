// Ed25519 admits several readings of the same bytes (Chalkias, Garillot, Nikolaenko, "Taming the
// many EdDSAs", 2020). These checks settle the encodings before any backend sees them, so that
// backends which differ in leniency still give one verdict. Encodings: RFC 8032 sections 5.1.2-5.1.3.

const P = (1n << 255n) - 19n;
const P_BYTES = littleEndian(P);
const L_BYTES = littleEndian((1n << 252n) + 27742317777372353535851937790883648493n);

/**
 * The y coordinates of the eight points of small order: 0, 1, -1 and the two of order 8. The sign
 * bit of x is masked away, so that each stands for both of its points.
 */
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDER_Y = [0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y].map(littleEndian);

const SMALL_ORDER_FIRST: ReadonlySet<number | undefined> = new Set(SMALL_ORDER_Y.map(([y]) => y));

/** Whether `publicKey` is 32 bytes that encode y < p and are not a point of small order. */
export function isAcceptablePublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === 32 && isLess(publicKey, 0, P_BYTES, 0x7f) && !isSmallOrder(publicKey);
}

/** Whether the first 32 of `bytes` encode one of the eight points of small order. */
export function isSmallOrder(bytes: Uint8Array): boolean {
  // One byte tells most others apart, and every verification asks.
  return SMALL_ORDER_FIRST.has(bytes[0]) && SMALL_ORDER_Y.some((y) => equalsMasked(bytes, y));
}

/** Whether `signature` is 64 bytes R ‖ S with R encoding y < p and S < L. */
export function isCanonicalSignature(signature: Uint8Array): boolean {
  return (
    signature.length === 64 &&
    isLess(signature, 0, P_BYTES, 0x7f) &&
    isLess(signature, 32, L_BYTES, 0xff)
  );
}

/** Compares 32 little-endian bytes at `offset` with `bound`; `topMask` masks the last byte. */
function isLess(bytes: Uint8Array, offset: number, bound: Uint8Array, topMask: number): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = (bytes[offset + i] ?? 0) & (i === 31 ? topMask : 0xff);
    const limit = bound[i] ?? 0;
    if (byte !== limit) return byte < limit;
  }
  return false;
}

function equalsMasked(bytes: Uint8Array, y: Uint8Array): boolean {
  return y.every((byte, i) => ((bytes[i] ?? 0) & (i === 31 ? 0x7f : 0xff)) === byte);
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
