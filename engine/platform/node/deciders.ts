// The documents that decide about other people's modules: whom to trust, by which policy, against
// which whitelist. What a stranger's folder says of them counts for nothing, so nobody looks for them
// from the path that is examined.

import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { DEFAULT_POLICY } from '../../gate/policy.ts';
import { EMPTY_TRUST_STORE, parseTrustStore } from '../../gate/trust-store.ts';
import type { TrustStore } from '../../gate/types.ts';
import { DEFAULT_GOVERNANCE, type PolicyFile, parsePolicy } from '../../governance/policy-file.ts';
import type { Whitelist } from '../../whitelist/types.ts';
import { builtInWhitelist, parseWhitelist } from '../../whitelist/whitelist.ts';
import { nodeCrypto } from './crypto.ts';
import { readDocument } from './files.ts';
import { userFile } from './paths.ts';

/** The trust store and the policy that count; absent where there is none. */
export interface DecidingFiles {
  readonly trust: string | undefined;
  readonly policy: string | undefined;
}

/**
 * Where the documents that count lie: the workspace's in its `.touchstone`, else, for the trust store,
 * the user's.
 * @param workspace the workspace's folder; without one only the user's own documents count.
 */
export function decidingFiles(workspace: string | undefined): DecidingFiles {
  const own = (name: string) =>
    workspace === undefined ? [] : [join(workspace, '.touchstone', name)];
  return {
    trust: [...own('trust.json'), userFile('trust.json')].find(isThere),
    policy: own('policy.json').find(isThere),
  };
}

/**
 * Whether something of that name is there, readable or not: a policy that cannot be read is an error,
 * not a default.
 */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/**
 * The trust store in a file; without one, a store that trusts nobody.
 * @throws {InputError} `unreadable`, `too-large` or `invalid-trust-store`.
 */
export async function readTrustStore(file: string | undefined): Promise<TrustStore> {
  if (file === undefined) return EMPTY_TRUST_STORE;
  return parseTrustStore(nodeCrypto, await readDocument(file), displayText(file, 500));
}

/**
 * The policy in a file; without one, the default.
 * @throws {InputError} `unreadable`, `too-large` or `invalid-policy`.
 */
export async function readPolicy(file: string | undefined): Promise<PolicyFile> {
  if (file === undefined) return { gate: DEFAULT_POLICY, governance: DEFAULT_GOVERNANCE };
  return parsePolicy(await readDocument(file), displayText(file, 500));
}

let builtInOnce: Whitelist | undefined;

/** The built-in whitelist, hashed once however many executors ask for it. */
export function builtInHere(): Whitelist {
  builtInOnce ??= builtInWhitelist(nodeCrypto);
  return builtInOnce;
}

/** Whether a reference is one to a whitelist by name and version, not by file. */
export function isWhitelistName(reference: string): boolean {
  return /^[a-z][a-z0-9._-]*@\d+$/.test(reference);
}

/**
 * A whitelist by `NAME@VERSION`, which must be built in, or by file.
 * @param base the folder that a relative file is relative to.
 * @throws {InputError} `unreadable`, `too-large` or `invalid-whitelist`.
 */
export async function readWhitelist(reference: string, base = '.'): Promise<Whitelist> {
  const builtIn = builtInHere();
  if (reference === `${builtIn.name}@${builtIn.version}`) return builtIn;
  if (isWhitelistName(reference)) {
    throw new InputError(
      'invalid-whitelist',
      `there is no whitelist ${reference} here; built in is ${builtIn.name}@${builtIn.version}, others are named by file`,
    );
  }
  const path = resolve(base, reference);
  return parseWhitelist(nodeCrypto, await readDocument(path), displayText(reference, 500));
}
