import { lookup } from 'node:dns/promises';

/**
 * Resolves the name of a host to all of its addresses, in the order in which they should be tried.
 * Rejects, with the codes of `node:dns`, where there is none.
 */
export type Resolver = (hostname: string) => Promise<readonly { readonly address: string }[]>;

/** The machine's own resolver, with its hosts file. */
export const systemResolver: Resolver = (hostname) =>
  lookup(hostname, { all: true, verbatim: true });
