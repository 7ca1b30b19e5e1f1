import { dirname, join } from 'node:path';
import { CancellationTokenSource } from 'vscode-languageserver';
import { z } from 'zod';
import type { Reviewer, ReviewQuestion } from '../../engine/governance/hook.ts';
import type { PolicyFile } from '../../engine/governance/policy-file.ts';
import type { RunServices } from '../../engine/governed/run.ts';
import { grantsOf } from '../../engine/platform/node/effects/grants.ts';
import type { RunInterpreter } from '../../engine/platform/node/effects/interpreter.ts';
import { nodeSecrets } from '../../engine/platform/node/secrets.ts';
import type { Capability } from '../../engine/whitelist/directives.ts';
import { Review, type ReviewResult } from '../protocol.ts';
import type { RequestServing } from './serving.ts';
import { gateEnvironmentFor } from './subjects.ts';

/** What an interpreter is made for. */
export interface InterpreterOrder {
  /** The workspace folder that the executor lies in. */
  readonly folder: string;
  readonly policy: PolicyFile;
  /** The policy's own file; absent where the default one decides. */
  readonly policyFile: string | undefined;
  /** What the person grants for this run: a policy's grants say how far, not whether. */
  readonly grants: readonly Capability[];
}

/**
 * The interpreter of a run in an editor: it performs what the person grants for this run, as far as the
 * policy lets it go.
 * @throws {InputError} for a grant that needs a scope which the policy does not give, and for documents
 *   that cannot be used: nothing ran.
 */
export async function openInterpreterFor(
  serving: RequestServing,
  services: RunServices,
  { folder, policy: { governance }, policyFile, grants }: InterpreterOrder,
): Promise<RunInterpreter> {
  // Late: what performs effects is large, and most sessions run nothing.
  const { createInterpreter } = await import('../../engine/platform/node/effects/interpreter.ts');
  const asked = grants.map((capability) => ({ capability }));
  const scopes = Object.fromEntries(grants.map((each) => [each, governance.grants[each]]));
  const known = Object.fromEntries(
    Object.entries(scopes).filter(([, scope]) => scope !== undefined),
  );
  return createInterpreter({
    governance,
    services,
    grants: grantsOf(known, asked, folder),
    base: policyFile === undefined ? join(folder, '.touchstone') : dirname(policyFile),
    ledger: join(folder, '.touchstone', 'effects.sqlite'),
    secrets: nodeSecrets(),
    environmentFor: (subject) => gateEnvironmentFor(serving, subject),
    reviewer: clientReviewer(serving),
  });
}

const reviewResult = z.object({ allow: z.boolean() }) satisfies z.ZodType<ReviewResult>;

/** Asks the editor's user where a hook wants a person, if the editor can. */
function clientReviewer({ client, connection }: RequestServing): Reviewer | undefined {
  if (!client.reviews) return undefined;
  return {
    review: async (question: ReviewQuestion, signal) => {
      const source = new CancellationTokenSource();
      const stop = () => source.cancel();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        const { stage, directive, executor, hook, reason } = question;
        const params = { stage, directive, executor, hook, reason };
        const answer = await connection.sendRequest(Review, params, source.token);
        return reviewResult.parse(answer).allow;
      } finally {
        signal?.removeEventListener('abort', stop);
        source.dispose();
      }
    },
  };
}
