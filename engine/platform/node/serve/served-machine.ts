import { join } from 'node:path';
import { CERTIFICATE_SUFFIX, type PurityCertificate } from '../../../certificate/certificate.ts';
import { parseCertificate } from '../../../certificate/parse.ts';
import { InputError } from '../../../encoding/input-error.ts';
import { AdmissionError, type AdmittedExecutor, openAdmitted } from '../../../gate/admit.ts';
import type { GateEnvironment } from '../../../gate/types.ts';
import { MANIFEST_NAME } from '../../../project/manifest-schema.ts';
import { admitSubject } from '../admission.ts';
import { readCertificateFile } from '../certificate-file.ts';
import { identityOf } from '../file-identity.ts';
import { findSubject, type Subject } from '../subject.ts';

/** An executor that the gate lets through now. */
export interface AdmittedMachine {
  readonly subject: Subject;
  readonly executor: AdmittedExecutor;
  readonly certificate: PurityCertificate;
  readonly whitelist: GateEnvironment['whitelist'];
}

/** Why the gate does not: the check that failed, or what could not be read. */
export interface RefusedMachine {
  readonly refused: string;
  readonly detail: string;
}

/** An executor that is served under a name. */
export interface ServedMachine {
  readonly path: string;
  /**
   * The executor as it is now: the same object as before, unless its files, or those that the gate
   * decides by, have changed since or its certifier has expired, for which it is put before the gate
   * again.
   */
  current(): Promise<AdmittedMachine | RefusedMachine>;
}

export interface ServedMachineOptions {
  /** Everything the gate decides by about a subject. */
  readonly environmentFor: (subject: Subject) => Promise<GateEnvironment>;
  /** The files that the gate decides by: trust store, policy and whitelist, also where there are none. */
  readonly deciders: () => readonly string[];
}

/** How long a refusal stands without another look, in milliseconds: time alone may let a key count. */
const REFUSAL_MS = 10_000;

/** How often an executor is looked at that changes all the while. */
const MAX_LOOKS = 3;

/** What was found, and in which files. */
interface Look {
  readonly files: readonly string[];
  /** Of the files and of those that decide, before any of them was read. */
  readonly identity: string;
  readonly found: AdmittedMachine | RefusedMachine;
  readonly at: number;
}

/** @param path as `findSubject` takes it. */
export function createServedMachine(
  path: string,
  { environmentFor, deciders }: ServedMachineOptions,
): ServedMachine {
  let last: Look | undefined;
  let looking: Promise<Look> | undefined;

  const look = async (): Promise<Look> => {
    const at = performance.now();
    // What could not be found this time lies where it lay before, or where a project has it.
    let files = last?.files ?? [path, join(path, MANIFEST_NAME)];
    let identity = identityOf([...files, ...deciders()]);
    try {
      files = filesOf(path, await findSubject(path));
      identity = identityOf([...files, ...deciders()]);
      const subject = await findSubject(path);
      if (filesOf(path, subject).join('\n') !== files.join('\n')) {
        return { files, identity, found: CHANGED, at };
      }
      return { files, identity, found: await admit(subject, environmentFor), at };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { files, identity, found: { refused: error.code, detail: error.message }, at };
    }
  };
  const stands = ({ files, identity, found, at }: Look) =>
    identity === identityOf([...files, ...deciders()]) &&
    ('refused' in found ? performance.now() - at < REFUSAL_MS : counts(found.executor));

  return {
    path,
    current: async () => {
      for (let looks = 0; looks <= MAX_LOOKS; looks++) {
        if (last !== undefined && stands(last)) return last.found;
        looking ??= look().finally(() => {
          looking = undefined;
        });
        last = await looking;
      }
      return CHANGED;
    },
  };
}

const CHANGED: RefusedMachine = Object.freeze({
  refused: 'unreadable',
  detail: 'its files changed while they were read',
});

function filesOf(path: string, { path: manifest, artifact }: Subject): readonly string[] {
  return [path, manifest, artifact, `${artifact}${CERTIFICATE_SUFFIX}`];
}

/** Asks the gate for tier 1, the only one that there is a certificate to attest of. */
async function admit(
  subject: Subject,
  environmentFor: ServedMachineOptions['environmentFor'],
): Promise<AdmittedMachine | RefusedMachine> {
  const environment = await environmentFor(subject);
  const request = { certificate: undefined, remedy: 'certify it' };
  const admission = await admitSubject(subject, 1, environment, request);
  if (!admission.admitted) return { refused: admission.failed, detail: admission.detail };
  const { executor } = admission;
  const file = await readCertificateFile(subject.artifact, undefined);
  if (file === undefined || environment.crypto.sha256(file.bytes) !== executor.certificateHash) {
    return CHANGED;
  }
  const { certificate } = parseCertificate(file.bytes, file.name);
  return { subject, executor, certificate, whitelist: environment.whitelist };
}

/** Whether the gate's answer still stands: a key may have expired since. */
function counts(executor: AdmittedExecutor): boolean {
  try {
    openAdmitted(executor);
    return true;
  } catch (error) {
    if (error instanceof AdmissionError) return false;
    throw error;
  }
}
