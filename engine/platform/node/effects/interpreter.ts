// The interpreter of a run, put together: what its policy grants, and handlers for no more than that.

import { join } from 'node:path';
import { displayText } from '../../../encoding/display.ts';
import type { GateEnvironment } from '../../../gate/types.ts';
import { parseAgency } from '../../../governance/agency.ts';
import { createBudgets } from '../../../governance/budgets.ts';
import { type EffectHandler, refused } from '../../../governance/effect.ts';
import type { Reviewer } from '../../../governance/hook.ts';
import type { PhaseEntry } from '../../../governance/phase.ts';
import type { GovernancePolicy, Grants } from '../../../governance/policy-file.ts';
import { createRedactor, type Redactor, redactingSecrets } from '../../../governance/redact.ts';
import type { Secrets } from '../../../governance/secret.ts';
import type { Means, Policy } from '../../../governance/types.ts';
import type { RunServices } from '../../../governed/run.ts';
import { CAPABILITIES } from '../../../whitelist/directives.ts';
import { policyOf } from '../execution.ts';
import { readDocument } from '../files.ts';
import { hookExecutors } from '../hook-executors.ts';
import type { Subject } from '../subject.ts';
import { evaluatorFiles } from './code-eval/files.ts';
import { createCodeEvalHandler } from './code-eval/handler.ts';
import { createCommandHandler } from './command/command-handler.ts';
import { createFileHandler } from './file/file-handler.ts';
import { createGraphqlHandler } from './graphql.ts';
import { createHttpHandler } from './http.ts';
import { createLlmHandler } from './llm/llm-handler.ts';
import type { ModelProvider } from './llm/model-provider.ts';
import { createLocalMachine, type LocalMachineOptions } from './machine/local-machine.ts';
import { createMachineHandler, type MachineCaller } from './machine/machine-handler.ts';
import { createMcpHandler } from './mcp/mcp-handler.ts';
import { createDbHandler } from './sqlite/db.ts';
import { fileLedger } from './sqlite/ledger.ts';
import { createMemoryHandler } from './sqlite/memory.ts';
import { createWebsocketHandler } from './websocket.ts';

/** What an interpreter is made of. */
export interface InterpreterOptions {
  readonly governance: GovernancePolicy;
  /** Those of the policy, and what the run was asked to be granted beside them. */
  readonly grants: Grants;
  /** The policy's folder: what its paths are relative to, and where `agency.json` lies. */
  readonly base: string;
  /** Where effects with an id are remembered. */
  readonly ledger: string;
  readonly secrets: Secrets;
  readonly services: RunServices;
  /** Everything the gate decides by about a subject: a hook, or a machine that is called. */
  readonly environmentFor: (subject: Subject) => Promise<GateEnvironment>;
  /** Calls machines of other organisations; without it they are refused. */
  readonly remote?: ((secrets: Secrets) => MachineCaller) | undefined;
  readonly reviewer?: Reviewer | undefined;
  /** Models that an editor offers, by the names of their providers. */
  readonly providers?: ReadonlyMap<string, ModelProvider> | undefined;
}

/** What governs the directives of one run, all its steps and all that it calls. */
export interface RunInterpreter {
  readonly phases: readonly PhaseEntry[];
  readonly means: Means;
  /** What governance decides by about an executor's own project. */
  policyFor(subject: Pick<Subject, 'manifest'>): Policy;
  /** Lets go of what effects have opened. No run is under way then. */
  close(): Promise<void>;
}

/**
 * Makes the interpreter of a run.
 * @throws {InputError} `invalid-agency`, `unreadable` and the like for a document that a grant needs.
 */
export async function createInterpreter(options: InterpreterOptions): Promise<RunInterpreter> {
  const { governance, grants, base, ledger, services, environmentFor, reviewer } = options;
  const redactor = createRedactor();
  const granted = new Set(CAPABILITIES.filter((capability) => grants[capability] !== undefined));
  const policyFor = (subject: Pick<Subject, 'manifest'>) => policyOf(subject, governance, granted);
  const handlers = await handlersFor(options, redactor, { means: () => means, policyFor });
  const hooks = { base, isolation: services.isolation, environmentFor };
  const remembers = fileLedger(ledger);
  const means: Means = {
    handlers: new Map(handlers.flatMap((each) => each.tags.map((tag) => [tag, each] as const))),
    budgets: createBudgets(governance.budgets),
    preHooks: hookExecutors(governance.preHooks, hooks),
    guardrails: hookExecutors(governance.guardrails, hooks),
    reviewer,
    ledger: remembers,
    redact: (value) => redactor.redact(value),
  };
  return {
    phases: governance.phases,
    means,
    policyFor,
    close: async () => {
      await Promise.allSettled([...handlers.map((each) => each.close?.()), remembers.close()]);
    },
  };
}

async function handlersFor(
  options: InterpreterOptions,
  redactor: Redactor,
  callee: Pick<LocalMachineOptions, 'means' | 'policyFor'>,
): Promise<readonly EffectHandler[]> {
  const { grants, base, services, environmentFor } = options;
  const secrets = redactingSecrets(options.secrets, redactor);
  const agency = grants['compute.llm.reason'] && (await readAgency(join(base, 'agency.json')));
  // Known before anything is performed: what one effect answers may hold the secret of another.
  for (const name of secretsIn([grants, agency])) await secrets.get(name);
  const handlers: EffectHandler[] = [];
  const {
    'compute.exec': exec,
    'compute.llm.reason': llm,
    'machine.call': machine,
    'net.http': http,
    'net.websocket': websocket,
    db,
    fs,
    memory,
  } = grants;
  if (http !== undefined) {
    handlers.push(createHttpHandler(http, { secrets }), createGraphqlHandler(http, { secrets }));
  }
  if (websocket !== undefined) handlers.push(createWebsocketHandler(websocket));
  if (llm !== undefined && agency !== undefined) {
    const { providers } = options;
    const handler = createLlmHandler(llm, { agency, secrets, ...(providers && { providers }) });
    handlers.push(redactingPieces(handler, redactor));
  }
  if (memory !== undefined) handlers.push(createMemoryHandler(memory, { base }));
  if (db !== undefined) handlers.push(createDbHandler(db, { base }));
  if (fs !== undefined) handlers.push(createFileHandler(fs, { base }));
  if (machine !== undefined) {
    const local = createLocalMachine({
      ...{ services, environmentFor, base },
      ...callee,
    });
    handlers.push(
      createMachineHandler(machine, { local, remote: options.remote?.(secrets) ?? NO_REMOTE }),
      createMcpHandler(machine, { secrets }),
    );
  }
  if (exec !== undefined) {
    handlers.push(
      createCommandHandler(exec, { secrets, base }),
      createCodeEvalHandler(exec, evaluatorFiles()),
    );
  }
  return handlers;
}

/** Where no machine of another organisation can be called. */
const NO_REMOTE: MachineCaller = {
  call: async ({ name }) =>
    refused('machine-not-here', `${displayText(name, 100)} cannot be called from here`),
};

/** The names of the secrets that documents refer to, anywhere in them. */
function secretsIn(value: unknown): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return new Set();
  const { secret } = value as { readonly secret?: unknown };
  const below = Object.values(value).flatMap((each) => [...secretsIn(each)]);
  return new Set(typeof secret === 'string' ? [secret, ...below] : below);
}

async function readAgency(file: string) {
  return parseAgency(await readDocument(file), displayText(file, 500));
}

/** A handler whose pieces of text hold no secret, wherever it is split between them. */
function redactingPieces(handler: EffectHandler, redactor: Redactor): EffectHandler {
  return {
    ...handler,
    perform: async (request) => {
      const stream = redactor.stream();
      const pass = (text: string) => {
        if (text !== '') request.emit({ text });
      };
      const outcome = await handler.perform({
        ...request,
        emit: (payload) => {
          const { text } = payload as { readonly text?: unknown };
          if (typeof text === 'string') pass(stream.write(text));
        },
      });
      pass(stream.end());
      return outcome;
    },
  };
}
