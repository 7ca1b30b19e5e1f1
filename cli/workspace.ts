import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import type { GateEnvironment, TrustStore } from '../engine/gate/types.ts';
import type { PolicyFile } from '../engine/governance/policy-file.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import {
  builtInHere,
  type DecidingFiles,
  decidingFiles,
  readPolicy,
  readTrustStore,
  readWhitelist,
} from '../engine/platform/node/deciders.ts';
import type { Subject } from '../engine/platform/node/subject.ts';
import type { WhitelistReference } from '../engine/project/manifest.ts';
import type { Whitelist } from '../engine/whitelist/types.ts';
import type { GateOptions } from './options.ts';

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

/** The documents that decide here: those named, else the workspace's, else the user's. */
export function filesHere({
  trust,
  policy,
}: Pick<GateOptions, 'trust' | 'policy'> = {}): DecidingFiles {
  const found = decidingFiles(workspaceRoot());
  return { trust: trust ?? found.trust, policy: policy ?? found.policy };
}

/** The trust store named, else the workspace's, else the user's, else one that trusts nobody. */
export function loadTrustStore(named: string | undefined): Promise<TrustStore> {
  return readTrustStore(filesHere(named === undefined ? {} : { trust: named }).trust);
}

/** The policy named, else the workspace's, else the default. */
export function loadPolicy(named: string | undefined): Promise<PolicyFile> {
  return readPolicy(filesHere(named === undefined ? {} : { policy: named }).policy);
}

/** The folder that the paths of a policy are relative to, whether or not there is one. */
export function policyFolder(named: string | undefined): string {
  const { policy } = filesHere(named === undefined ? {} : { policy: named });
  return resolve(policy === undefined ? workspaceFile() : dirname(policy));
}

/**
 * Which documents decide here, in words: whoever reads a verdict wants to know.
 * @param whitelist the one that is in force, where it has a part in the verdict.
 */
export function describeDeciders({ trust, policy }: GateOptions, whitelist?: Whitelist): string {
  const named = (file: string | undefined, none: string) =>
    file === undefined ? none : shown(relativeToHere(file));
  const files = filesHere({ ...(trust && { trust }), ...(policy && { policy }) });
  const store = named(files.trust, 'no trust store');
  const rules = named(files.policy, 'the default policy');
  return whitelist === undefined
    ? `decided by ${store} and ${rules}`
    : `decided by ${store}, ${rules} and ${displayText(whitelist.name)}@${whitelist.version}`;
}

function relativeToHere(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short.startsWith('..') || isAbsolute(short) ? path : short;
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
  if (asked !== undefined) return readWhitelist(asked);
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
    policy: (await loadPolicy(options.policy)).gate,
    now: Date.now,
  };
}

function shown(path: string): string {
  return displayText(path, 500);
}
