/** What can be spent once: a nonce of an issuer. Another issuer's equal nonce is another one. */
export interface IssuedNonce {
  /** Who chose the nonce, in a spelling that no other issuer of any voucher layout has. */
  readonly issuer: string;
  readonly nonce: string;
}

/** Remembers which nonces were spent, as long as their vouchers could be spent again. */
export interface NonceStore {
  /**
   * Spends a nonce: `fresh` for exactly one caller, whoever asks at the same time, and only once that
   * will be remembered; `spent` for all others. An answer that never came (the process was killed)
   * may leave the nonce spent, and never leaves one fresh that was answered `fresh`.
   * @param expiry the second since the Unix epoch from which on its voucher is refused anyway.
   * @throws {InputError} `unwritable` or `unreadable` when it cannot be remembered: it counts as not
   * spent, and nothing may be done for it.
   */
  spend(nonce: IssuedNonce, expiry: number): Promise<'fresh' | 'spent'>;
  /**
   * Whether {@link NonceStore.spend} would answer `spent`; changes nothing.
   * @throws {InputError} `unreadable`.
   */
  isSpent(nonce: IssuedNonce, expiry: number): Promise<boolean>;
  /**
   * Forgets the nonces whose vouchers expired before a moment, and from then on answers `spent` for
   * every expiry before it: a clock that is set back revives no forgotten nonce.
   * @param before whole seconds since the Unix epoch.
   * @returns how many were forgotten.
   * @throws {RangeError} for another number; {InputError} `unwritable` or `unreadable`.
   */
  prune(before: number): Promise<number>;
}

/** A store that lasts as long as the process: for vouchers that are minted and spent within it. */
export function memoryNonceStore(): NonceStore {
  const expiries = new Map<string, number>();
  let floor = 0;
  const keyOf = ({ issuer, nonce }: IssuedNonce) => JSON.stringify([issuer, nonce]);
  const isSpent = (key: string, expiry: number) => !(expiry >= floor) || expiries.has(key);
  return Object.freeze({
    spend: async (nonce: IssuedNonce, expiry: number) => {
      const key = keyOf(nonce);
      if (isSpent(key, expiry)) return 'spent';
      expiries.set(key, expiry);
      return 'fresh';
    },
    isSpent: async (nonce: IssuedNonce, expiry: number) => isSpent(keyOf(nonce), expiry),
    prune: async (before: number) => {
      if (!Number.isSafeInteger(before)) {
        throw new RangeError(`"before" expected whole seconds since the Unix epoch, got ${before}`);
      }
      const known = expiries.size;
      floor = Math.max(floor, before);
      for (const [key, expiry] of expiries) if (expiry < floor) expiries.delete(key);
      return known - expiries.size;
    },
  } satisfies NonceStore);
}
