// Which executor a request is about, and who decides about it.

import { basename, dirname } from 'node:path';
import { displayText } from '../../engine/encoding/display.ts';
import type { GateEnvironment } from '../../engine/gate/types.ts';
import type { PolicyFile } from '../../engine/governance/policy-file.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import {
  builtInHere,
  decidingFiles,
  readPolicy,
  readTrustStore,
  readWhitelist,
} from '../../engine/platform/node/deciders.ts';
import { resolveInProject } from '../../engine/platform/node/files.ts';
import { findSubject, type Subject } from '../../engine/platform/node/subject.ts';
import type { Whitelist } from '../../engine/whitelist/types.ts';
import { isWithin, pathFrom } from '../workspace/uris.ts';
import { RequestError } from './failures.ts';
import type { RequestServing } from './serving.ts';

/** What to do about a certificate that is not there. */
export const CERTIFY_REMEDY = 'certify the executor first';

/**
 * The executor that a path names, as it is on disk. A module that one project of the workspace builds
 * stands for that project: what is designated a tier there cannot be had at a weaker one by its module.
 * @throws {InputError} for a path, manifest or artifact that cannot be used.
 * @throws {RequestError} `unreadable` for a module that several projects speak of.
 */
export async function subjectAt({ session }: RequestServing, path: string): Promise<Subject> {
  const { projects } = session.workspace;
  const [owner, another] = projects.owning(path).filter(({ artifact }) => artifact === path);
  if (owner === undefined) return findSubject(path);
  if (another !== undefined) {
    throw new RequestError(
      'unreadable',
      `${shown(path)} is the artifact of several projects; name one of them by its ${basename(owner.path)}`,
    );
  }
  const subject = await findSubject(owner.path);
  // What is known of the manifest may be what an editor has not saved yet.
  return subject.artifact === path ? subject : findSubject(path);
}

/** The innermost folder of the workspace that a path lies in. */
export function folderAround(
  { session }: Pick<RequestServing, 'session'>,
  path: string,
): string | undefined {
  return session.workspace.folders
    .filter((folder) => isWithin(folder, path))
    .sort((a, b) => b.length - a.length)[0];
}

/**
 * The same, for what is done in the workspace only.
 * @throws {RequestError} `outside-workspace`.
 */
export function requireFolder(serving: RequestServing, path: string): string {
  const folder = folderAround(serving, path);
  if (folder !== undefined) return folder;
  throw new RequestError(
    'outside-workspace',
    `${shown(path)} lies in no folder of the workspace; open its folder first`,
  );
}

/** An executor of a trusted workspace, and the folder that it lies in. */
export interface TrustedSubject {
  readonly subject: Subject;
  readonly folder: string;
}

/**
 * The executor that a path names, where it may be signed and run: in a trusted workspace, in a folder
 * that neither it nor the way to it leaves through a symbolic link.
 * @param doing names what needs trust: `certifying`.
 * @throws {RequestError} `not-trusted`, `outside-workspace`; and as {@link subjectAt}.
 */
export async function trustedSubjectAt(
  serving: RequestServing,
  path: string,
  doing: string,
): Promise<TrustedSubject> {
  if (!serving.client.isTrusted()) {
    throw new RequestError('not-trusted', `${doing} needs a trusted workspace; trust it first`);
  }
  requireFolder(serving, path);
  const subject = await subjectAt(serving, path);
  const folder = requireFolder(serving, subject.path);
  // The folder too, since files are written beside the artifact: a link may lead out and back in.
  for (const each of [dirname(subject.artifact), subject.artifact]) {
    await resolveInProject(folder, pathFrom(folder, each) ?? each);
  }
  return { subject, folder };
}

/**
 * Everything the gate decides by about a subject. In a folder of a trusted workspace its own documents
 * count; elsewhere only the user's, since a stranger's folder does not say whom to trust.
 * @throws {InputError} for a whitelist, trust store or policy that cannot be used.
 */
export async function gateEnvironmentFor(
  serving: RequestServing,
  subject: Subject,
): Promise<GateEnvironment> {
  const { trust } = decidingFiles(trustedFolder(serving, subject.path));
  return {
    crypto: nodeCrypto,
    whitelist: await whitelistFor(serving, subject),
    trust: await readTrustStore(trust),
    policy: (await policyFor(serving, subject)).policy.gate,
    now: Date.now,
  };
}

/** A policy, and the file that it is from; without one the default policy. */
export interface FoundPolicy {
  readonly policy: PolicyFile;
  readonly policyFile: string | undefined;
}

/**
 * The policy about a subject, chosen as {@link gateEnvironmentFor} does.
 * @throws {InputError} for a policy that cannot be used.
 */
export async function policyFor(serving: RequestServing, { path }: Subject): Promise<FoundPolicy> {
  const { policy: policyFile } = decidingFiles(trustedFolder(serving, path));
  return { policy: await readPolicy(policyFile), policyFile };
}

/**
 * The whitelist that decides about a subject. An executor does not choose the rules it is judged by: a
 * whitelist that its project brings along counts in a trusted workspace, whose trust accepts it, and
 * nowhere else.
 * @throws {InputError} for a whitelist that cannot be used.
 */
export async function whitelistFor(
  serving: RequestServing,
  { path, manifest }: Subject,
): Promise<Whitelist> {
  if (manifest === undefined) {
    const { reference, base } = serving.session.workspace.whitelistOf(undefined);
    return readWhitelist(reference, base);
  }
  const { whitelist } = manifest;
  if (whitelist.kind === 'named') return readWhitelist(`${whitelist.name}@${whitelist.version}`);
  return trustedFolder(serving, path) === undefined
    ? builtInHere()
    : readWhitelist(whitelist.path, dirname(path));
}

/** The folder of the workspace around a path, if its documents count. */
export function trustedFolder(serving: RequestServing, path: string): string | undefined {
  return serving.client.isTrusted() ? folderAround(serving, path) : undefined;
}

function shown(path: string): string {
  return displayText(path, 500);
}
