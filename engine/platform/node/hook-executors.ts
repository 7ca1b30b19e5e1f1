// Hooks and guardrails of a policy: certified executors in files, which may be swapped at any time.

import { resolve } from 'node:path';
import { CERTIFICATE_SUFFIX } from '../../certificate/certificate.ts';
import { InputError } from '../../encoding/input-error.ts';
import type { AdmittedExecutor } from '../../gate/admit.ts';
import type { GateEnvironment } from '../../gate/types.ts';
import { executorHook, type Hook } from '../../governance/hook.ts';
import type { HookEntry } from '../../governance/policy-file.ts';
import type { Isolation } from '../../runtime/isolation.ts';
import { DEFAULT_LIMITS } from '../../runtime/types.ts';
import { admitSubject } from './admission.ts';
import { identityOf } from './file-identity.ts';
import { findSubject, type Subject } from './subject.ts';

/** What hooks are judged and run by. */
export interface HookOptions {
  /** The folder that paths are relative to: the policy's. */
  readonly base: string;
  readonly isolation: Isolation;
  /** Everything the gate decides by about a subject. */
  readonly environmentFor: (subject: Subject) => Promise<GateEnvironment>;
}

/** The hooks that a policy names, each admitted again whenever its files have changed. */
export function hookExecutors(
  entries: readonly HookEntry[],
  options: HookOptions,
): readonly Hook[] {
  return entries.map(({ name, path, directives, config, fuel, timeoutMs }) =>
    executorHook({
      ...{ name, config },
      directives: directives && new Set(directives),
      current: swappable(resolve(options.base, path), options),
      isolation: options.isolation,
      limits: { ...DEFAULT_LIMITS, fuel, timeoutMs, outputBytes: MAX_ANSWER_BYTES, directives: 1 },
    }),
  );
}

/** A verdict and its reason need no more, in bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** The executor in a file as it is now: each call looks whether it is still the same. */
function swappable(
  path: string,
  { environmentFor }: HookOptions,
): () => Promise<AdmittedExecutor | string> {
  let known: { readonly identity: string; readonly executor: AdmittedExecutor } | undefined;
  let files: readonly string[] = [path];
  return async () => {
    if (known !== undefined && known.identity === identityOf(files)) return known.executor;
    known = undefined;
    try {
      const subject = await findSubject(path);
      files = [path, subject.path, subject.artifact, `${subject.artifact}${CERTIFICATE_SUFFIX}`];
      // Taken before the files are read: what changes while they are is seen the next time.
      const identity = identityOf(files);
      const { artifact } = await findSubject(path);
      if (artifact !== subject.artifact) return 'changed while it was read';
      const request = { certificate: undefined, remedy: 'certify it' };
      const environment = await environmentFor(subject);
      const admission = await admitSubject(subject, 1, environment, request);
      if (!admission.admitted) return `not admitted: ${admission.failed}`;
      known = { identity, executor: admission.executor };
      return admission.executor;
    } catch (error) {
      if (error instanceof InputError) return error.code === 'unreadable' ? 'missing' : error.code;
      throw error;
    }
  };
}
