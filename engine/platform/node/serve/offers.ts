import type { AttestationRecord } from '../../../attestation/types.ts';
import type { Sha256 } from '../../../crypto/crypto.ts';
import type { AdmittedMachine } from './served-machine.ts';
import { ServiceRefusal } from './service-refusal.ts';

/** An offer that a caller may take up. */
export interface OutstandingOffer {
  readonly machine: string;
  readonly record: AttestationRecord;
  /** The executor as it was admitted when it was offered. */
  readonly admitted: AdmittedMachine;
}

/** The offers of this process that were not taken up: none outlives it. */
export interface OutstandingOffers {
  /** @throws {ServiceRefusal} `busy` where too many are outstanding. */
  add(hash: Sha256, offer: OutstandingOffer): void;
  /** Takes an offer up, which can be done once; `undefined` where it is none, or no longer. */
  take(hash: Sha256, machine: string): OutstandingOffer | undefined;
}

const MAX_OUTSTANDING = 10_000;

/**
 * @param lifetime of an offer, in milliseconds.
 * @param now milliseconds of a clock that does not go back.
 */
export function createOffers(lifetime: number, now: () => number): OutstandingOffers {
  // In the order in which they were made, which is that in which they expire.
  const offers = new Map<Sha256, OutstandingOffer & { readonly end: number }>();
  const dropExpired = () => {
    for (const [hash, { end }] of offers) {
      if (end > now()) break;
      offers.delete(hash);
    }
  };
  return {
    add: (hash, offer) => {
      dropExpired();
      if (offers.size >= MAX_OUTSTANDING) {
        const retryAfter = Math.ceil(lifetime / 1_000);
        throw new ServiceRefusal(503, 'busy', 'too many offers are outstanding', retryAfter);
      }
      offers.set(hash, { ...offer, end: now() + lifetime });
    },
    take: (hash, machine) => {
      dropExpired();
      const offer = offers.get(hash);
      if (offer?.machine !== machine) return undefined;
      offers.delete(hash);
      return offer;
    },
  };
}
