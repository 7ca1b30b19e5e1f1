import { existsSync, lstatSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import { DEFAULT_POLICY, parsePolicy } from '../engine/gate/policy.ts';
import { EMPTY_TRUST_STORE, parseTrustStore } from '../engine/gate/trust-store.ts';
import type { GateEnvironment, GatePolicy, TrustStore } from '../engine/gate/types.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { readDocument } from '../engine/platform/node/files.ts';
import type { WhitelistReference } from '../engine/project/manifest.ts';
import type { Whitelist } from '../engine/whitelist/types.ts';
import { builtInWhitelist, parseWhitelist } from '../engine/whitelist/whitelist.ts';
import type { GateOptions } from './options.ts';
import type { Subject } from './subject.ts';

/**
 * The workspace's folder: the nearest one at or above the current folder that holds `.touchstone`,
 * else `.git`, else the current folder. Never looked for from the path that is examined, because
 * what a stranger's folder says of whom to trust counts for nothing.
 */
export function workspaceRoot(): string {
  return nearest('.touchstone') ?? nearest('.git') ?? process.cwd();
}

function nearest(name: string): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Where a workspace keeps what belongs to it. */
export function workspaceFile(...names: readonly string[]): string {
  return join(workspaceRoot(), '.touchstone', ...names);
}

function userTrustFile(): string {
  const base =
    process.platform === 'win32'
      ? process.env.APPDATA
      : (process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'));
  return join(base ?? homedir(), 'touchstone', 'trust.json');
}

/** The trust store that counts: the one named, else the workspace's, else the user's, if any. */
function trustFile(named: string | undefined): string | undefined {
  if (named !== undefined) return named;
  return [workspaceFile('trust.json'), userTrustFile()].find(isThere);
}

/** The policy that counts: the one named, else the workspace's, if any. */
function policyFile(named: string | undefined): string | undefined {
  return named ?? [workspaceFile('policy.json')].find(isThere);
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

/** The trust store named, else the workspace's, else the user's, else one that trusts nobody. */
export async function loadTrustStore(named: string | undefined): Promise<TrustStore> {
  const file = trustFile(named);
  if (file === undefined) return EMPTY_TRUST_STORE;
  return parseTrustStore(nodeCrypto, await readDocument(file), shown(file));
}

/** The policy named, else the workspace's, else the default. */
export async function loadPolicy(named: string | undefined): Promise<GatePolicy> {
  const file = policyFile(named);
  return file === undefined ? DEFAULT_POLICY : parsePolicy(await readDocument(file), shown(file));
}

/**
 * Which documents decide here, in words: whoever reads a verdict wants to know.
 * @param whitelist the one that is in force, where it has a part in the verdict.
 */
export function describeDeciders({ trust, policy }: GateOptions, whitelist?: Whitelist): string {
  const named = (file: string | undefined, none: string) =>
    file === undefined ? none : shown(relativeToHere(file));
  const store = named(trustFile(trust), 'no trust store');
  const rules = named(policyFile(policy), 'the default policy');
  return whitelist === undefined
    ? `decided by ${store} and ${rules}`
    : `decided by ${store}, ${rules} and ${displayText(whitelist.name)}@${whitelist.version}`;
}

function relativeToHere(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

let builtInOnce: Whitelist | undefined;

/** The built-in whitelist, hashed once however many executors ask for it. */
function builtInHere(): Whitelist {
  builtInOnce ??= builtInWhitelist(nodeCrypto);
  return builtInOnce;
}

/**
 * A whitelist by `NAME@VERSION`, which must be built in, or by file.
 * @param base the folder that a relative file is relative to.
 */
export async function loadWhitelist(reference: string, base = '.'): Promise<Whitelist> {
  const builtIn = builtInHere();
  if (reference === `${builtIn.name}@${builtIn.version}`) return builtIn;
  if (/^[a-z][a-z0-9._-]*@\d+$/.test(reference)) {
    throw new InputError(
      'invalid-whitelist',
      `there is no whitelist ${reference} here; built in is ${builtIn.name}@${builtIn.version}, others are named by file`,
    );
  }
  const path = resolve(base, reference);
  return parseWhitelist(nodeCrypto, await readDocument(path), shown(reference));
}

/**
 * The whitelist that decides about a subject: the one asked for, else the built-in. A project may
 * name one of its own, but then whoever decides must name it too: an executor does not choose the
 * rules it is judged by.
 */
export async function whitelistToDecideBy(
  subject: Subject,
  asked: string | undefined,
): Promise<Whitelist> {
  if (asked !== undefined) return loadWhitelist(asked);
  const builtIn = builtInHere();
  const own = subject.manifest?.whitelist;
  if (own === undefined || isNamed(own, builtIn)) return builtIn;
  const reference = displayText(
    own.kind === 'file' ? join(dirname(subject.path), own.path) : `${own.name}@${own.version}`,
    500,
  );
  throw new InputError(
    'usage',
    `${displayText(subject.path, 500)} asks for the whitelist ${reference}; to accept it: --whitelist ${reference}`,
  );
}

function isNamed(reference: WhitelistReference, whitelist: Whitelist): boolean {
  return (
    reference.kind === 'named' &&
    reference.name === whitelist.name &&
    reference.version === whitelist.version
  );
}

/** Everything the gate decides by here. */
export async function gateEnvironment(
  subject: Subject,
  options: GateOptions,
): Promise<GateEnvironment> {
  return {
    crypto: nodeCrypto,
    whitelist: await whitelistToDecideBy(subject, options.whitelist),
    trust: await loadTrustStore(options.trust),
    policy: await loadPolicy(options.policy),
    now: Date.now,
  };
}

function shown(path: string): string {
  return displayText(path, 500);
}
