import type { GateEnvironment } from '../engine/gate/types.ts';
import type { Secrets } from '../engine/governance/secret.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { builtInHere, readWhitelist } from '../engine/platform/node/deciders.ts';
import type { MachineCaller } from '../engine/platform/node/effects/machine/machine-handler.ts';
import { createRemoteMachine } from '../engine/platform/node/effects/machine/remote-machine.ts';
import type { GateOptions } from './options.ts';
import { loadPolicy, loadTrustStore, policyFolder, workspaceFile } from './workspace.ts';

/**
 * Calls machines of other organisations, as an interpreter takes it: decided by the documents that
 * decide here, with what they attest kept in the workspace.
 */
export function remoteMachines(options: GateOptions): (secrets: Secrets) => MachineCaller {
  const gate = async (): Promise<GateEnvironment> => ({
    crypto: nodeCrypto,
    whitelist:
      options.whitelist === undefined ? builtInHere() : await readWhitelist(options.whitelist),
    trust: await loadTrustStore(options.trust),
    policy: (await loadPolicy(options.policy)).gate,
    now: Date.now,
  });
  return (secrets) =>
    createRemoteMachine({
      ...{ gate, secrets },
      base: policyFolder(options.policy),
      attestations: workspaceFile('attestations'),
    });
}
