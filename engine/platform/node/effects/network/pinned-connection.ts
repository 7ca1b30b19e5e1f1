import type { LookupFunction } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { NetworkAddress } from './address.ts';

/** How long one of several addresses is tried before the next one too, in milliseconds. */
const ATTEMPT_MS = 1_000;

/**
 * What keeps a socket of `node:net` or `node:tls` to addresses that were judged: no name is looked up
 * for it, and a certificate must hold for the host, whatever the environment says.
 */
export function pinnedOptions(
  addresses: readonly NetworkAddress[],
  secureContext: SecureContext | undefined,
) {
  const lookup: LookupFunction = (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else if (first === undefined) callback(new Error('no address to connect to'), '', 0);
    else callback(null, first.address, first.family);
  };
  return {
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    rejectUnauthorized: true,
    ...(secureContext !== undefined && { secureContext }),
  };
}

/**
 * Trusts further authorities beside those that Node.js brings along.
 * @param ca certificates in PEM; `undefined` for none.
 */
export function trustContext(ca: string | undefined): SecureContext | undefined {
  return ca === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, ca] });
}
