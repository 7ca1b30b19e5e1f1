import type { RunServices } from '../engine/governed/run.ts';
import { type AskedGrant, grantsOf } from '../engine/platform/node/effects/grants.ts';
import {
  createInterpreter,
  type RunInterpreter,
} from '../engine/platform/node/effects/interpreter.ts';
import { nodeSecrets } from '../engine/platform/node/secrets.ts';
import type { GateOptions } from './options.ts';
import { terminalReviewer } from './reviewer.ts';
import { remoteMachines } from './serve-remote.ts';
import { gateEnvironment, loadPolicy, policyFolder, workspaceFile } from './workspace.ts';

/**
 * The interpreter of a run here: what the policy grants, and what is asked for beside it.
 * @throws {InputError} `usage` for a scope that is none, and as `createInterpreter`.
 */
export async function openInterpreter(
  services: RunServices,
  options: GateOptions & { readonly grant?: readonly AskedGrant[] },
): Promise<RunInterpreter> {
  const { governance } = await loadPolicy(options.policy);
  return createInterpreter({
    governance,
    services,
    grants: grantsOf(governance.grants, options.grant ?? [], process.cwd()),
    base: policyFolder(options.policy),
    ledger: workspaceFile('effects.sqlite'),
    secrets: nodeSecrets(),
    environmentFor: (subject) => gateEnvironment(subject, options),
    reviewer: terminalReviewer(),
    remote: remoteMachines(options),
  });
}
