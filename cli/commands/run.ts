import { Command } from 'commander';
import type { Signer } from '../../engine/crypto/crypto.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { type JsonValue, parseJson } from '../../engine/encoding/json.ts';
import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import type { Tier } from '../../engine/gate/types.ts';
import { phaseAt } from '../../engine/governance/phase.ts';
import {
  notAdmittedDocument,
  runDocument,
  steppedRunDocument,
} from '../../engine/governed/documents.ts';
import { governedRun, type RunReport, type RunServices } from '../../engine/governed/run.ts';
import type { StateRequest } from '../../engine/governed/state.ts';
import { governedSteps } from '../../engine/governed/steps.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { type AskedGrant, parseAskedGrant } from '../../engine/platform/node/effects/grants.ts';
import type { RunInterpreter } from '../../engine/platform/node/effects/interpreter.ts';
import { limitsOf, projectSettings, withoutReceipt } from '../../engine/platform/node/execution.ts';
import { readDocument } from '../../engine/platform/node/files.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../engine/platform/node/run-journal.ts';
import { findSubject, type Subject } from '../../engine/platform/node/subject.ts';
import { inputBytes } from '../../engine/runtime/input.ts';
import type { RunLimits } from '../../engine/runtime/types.ts';
import { environmentSigner, withOwnEnvironment } from '../environment-key.ts';
import {
  addExecutionOptions,
  admit,
  askedLimits,
  describeRefusal,
  type ExecutionOptions,
  inputOf,
} from '../execution.ts';
import { createExecutorPool } from '../executor-pool.ts';
import { openInterpreter } from '../interpreter.ts';
import { waitForInterrupt } from '../interrupt.ts';
import { type Format, formatOption, wholeNumber } from '../options.ts';
import { describeRun } from '../run-text.ts';
import { readStandardInput } from '../standard-input.ts';
import { withStateFile } from '../state-file.ts';
import { MARK, message, print, printJson, wrap } from '../terminal.ts';
import { type Payment, spendForRun } from '../vouchers.ts';
import { loadTrustStore, workspaceFile } from '../workspace.ts';

interface RunOptions extends ExecutionOptions {
  readonly input: string;
  readonly steps?: number;
  readonly grant?: readonly AskedGrant[];
  readonly state?: string;
  readonly voucher?: string;
  readonly provider?: string;
  readonly format: Format;
}

/** `touchstone run PATH`. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('run an executor behind the gate, govern its directives, leave a receipt')
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one')
    .option('--input <json>', 'the input document: JSON, @FILE, or - for standard input', '{}')
    .option('--steps <n>', 'let it plan again with the results, so many times', wholeNumber(1))
    .option(
      '--grant <capability[=scope]>',
      'grant a capability for this run; may be repeated',
      collectGrant,
    )
    .option('--state <file>', 'begin with the state in this file, and leave there what it came to')
    .option('--voucher <file>', 'pay with this fuel voucher, which is spent by the run')
    .option('--provider <id>', 'accept a Trytet voucher, made out to this provider');
  return addExecutionOptions(command)
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone run examples/echo --input '{"context":{"say":"hello"}}'
  $ touchstone run examples/echo --input @examples/echo/cases/answers-with-the-input.json
  $ cat input.json | touchstone run examples/call --input - --format json
  $ touchstone run examples/echo --state echo.state
  $ touchstone run examples/echo --voucher paid.voucher
  $ touchstone run examples/memory --grant memory
  $ touchstone run examples/call --grant machine.call=billing=examples/echo

A file that holds a case ({ "input": …, "expect": … }) stands for its input.
With --voucher the run has the voucher's fuel, or the limit where that is less.
With --state the executor keeps its memory from one run to the next. The state
continues the receipts it came with, and no others.

What an executor asks for is recorded, and performed only where it is granted:
by the policy, or for this run by --grant. A scope says how far a grant goes:
  net.http=HOST, net.websocket=HOST      fs=FOLDER[:write], db=FILE[:write]
  machine.call=NAME=PATH                 compute.exec=/ABSOLUTE/COMMAND
  compute.llm.reason=MODEL               memory=FILE
With --steps the executor plans again with what came of its directives, in
context.previous, until it asks for nothing more.`,
    )
    .action(runAction);
}

function collectGrant(text: string, before: readonly AskedGrant[] = []): readonly AskedGrant[] {
  return [...before, parseAskedGrant(text)];
}

async function runAction(path: string, options: RunOptions): Promise<void> {
  if (options.steps !== undefined && options.state !== undefined) {
    throw new InputError('usage', '--steps and --state do not go together: choose one');
  }
  const subject = await findSubject(path);
  const input = await readInput(options.input);
  const limits = limitsOf(subject, askedLimits(options));
  const asked = options.tier ?? subject.manifest?.tier ?? 1;
  const admission = await admit(subject, asked, options);
  if (!admission.admitted) {
    const problem = { code: admission.failed, message: admission.detail };
    const hint = `All checks: touchstone verify ${displayText(subject.path, 500)}`;
    refuse(asked, limits, problem, describeRefusal(subject, admission), hint, options.format);
    return;
  }
  const interrupt = waitForInterrupt();
  try {
    const { executor } = admission;
    await runAdmitted({ subject, executor, input, limits, options, signal: interrupt.signal });
  } finally {
    interrupt.end();
  }
}

/** A run that the gate lets through, and how it is asked for. */
interface AdmittedRun {
  readonly subject: Subject;
  readonly executor: AdmittedExecutor;
  readonly input: JsonValue;
  readonly limits: RunLimits;
  readonly options: RunOptions;
  readonly signal: AbortSignal;
}

async function runAdmitted(asked: AdmittedRun): Promise<void> {
  const { executor, limits, options } = asked;
  const environment = await environmentSigner();
  const payment = await pay(executor, environment, limits, options);
  if (!payment.paid) {
    const { failed, detail } = payment;
    const text = wrap(`${MARK.fail} the voucher does not pay for this run: ${detail}`, '', '  ');
    const hint = `All checks: touchstone voucher verify ${displayText(options.voucher ?? '', 500)}`;
    const problem = { code: failed, message: detail };
    refuse(executor.tier, limits, problem, text, hint, options.format);
    return;
  }
  const reports = await run({ ...asked, limits: { ...limits, fuel: payment.fuel } }, environment);
  const last = reports.at(-1) ?? reports[0];
  if (options.format === 'text') print(reports.map(describeRun).join('\n\n'));
  else printJson(options.steps === undefined ? runDocument(last) : steppedRunDocument(reports));
  if (last.stateProblem !== undefined) message(`${MARK.fail} ${last.stateProblem}`);
  if (last.status !== 'ok' || last.stateProblem !== undefined) process.exitCode = 1;
}

/** The fuel that a run has: its limit, or what its voucher pays for. */
async function pay(
  executor: AdmittedExecutor,
  environment: Signer,
  limits: RunLimits,
  { voucher, provider, trust, policy }: RunOptions,
): Promise<Payment> {
  if (voucher === undefined) return { paid: true, fuel: limits.fuel };
  return spendForRun({
    file: voucher,
    artifactHash: executor.artifactHash,
    environment: environment.publicKey.keyId,
    fuel: limits.fuel,
    ...(trust !== undefined && { trust }),
    ...(policy !== undefined && { policy }),
    ...(provider !== undefined && { trytetProvider: provider }),
  });
}

async function run(asked: AdmittedRun, environment: Signer): Promise<Reports> {
  const { options } = asked;
  const isolation = createExecutorPool(1);
  const folder = options.receipts ?? workspaceFile('receipts');
  const journal = fileRunJournal(nodeCrypto, folder);
  const services: RunServices = {
    crypto: nodeCrypto,
    isolation,
    receipts: fileReceiptStore(nodeCrypto, folder),
    journal,
    environment,
    now: () => performance.now(),
  };
  let interpreter: RunInterpreter | undefined;
  try {
    interpreter = await openInterpreter(services, options);
    return await governed(asked, services, interpreter);
  } catch (error) {
    throw withoutReceipt(error);
  } finally {
    await interpreter?.close();
    await isolation.close();
    await journal.close();
  }
}

/** What came of the steps of a run. */
type Reports = readonly [RunReport, ...RunReport[]];

async function governed(
  { subject, executor, input, limits, options, signal }: AdmittedRun,
  services: RunServices,
  { means, phases, policyFor }: RunInterpreter,
): Promise<Reports> {
  const { name, manifest } = subject;
  const version = manifest?.version ?? '0';
  const request = {
    ...{ executor, name, version, input, limits, means, signal },
    ...(manifest && projectSettings(manifest)),
    policy: policyFor(subject),
    events: () => {},
  };
  if (options.state === undefined) {
    return governedSteps(services, { ...request, phases, steps: options.steps ?? 1 });
  }
  const about = {
    trust: await withOwnEnvironment(await loadTrustStore(options.trust)),
    executor: `${name}@${version}`,
    admitted: executor,
    memoryProfile: manifest?.memoryProfile,
    limits,
  };
  const policy = { ...request.policy, phase: phaseAt(phases, 0) };
  const report = await withStateFile(
    options.state,
    services.receipts.open(name),
    about,
    (state?: StateRequest) => governedRun(services, { ...request, policy, state }),
  );
  return [report];
}

/**
 * The input document: given in place, in a file (a case's `input` where it is one), or piped in.
 * @throws {InputError} for what is no input document, before anything is done about it.
 */
async function readInput(given: string): Promise<JsonValue> {
  const input = await readInputJson(given);
  inputBytes(input);
  return input;
}

async function readInputJson(given: string): Promise<JsonValue> {
  if (!given.startsWith('@') && given !== '-') return parseJson(given, '--input');
  const what = given === '-' ? 'standard input' : displayText(given.slice(1), 500);
  const bytes = given === '-' ? await readStandardInput() : await readDocument(given.slice(1));
  return inputOf(parseJson(bytes, what));
}

/** Tells that nothing ran, and why. */
function refuse(
  asked: Tier,
  limits: RunLimits,
  problem: { readonly code: string; readonly message: string },
  text: string,
  hint: string,
  format: Format,
): void {
  process.exitCode = 1;
  if (format === 'json') {
    printJson(notAdmittedDocument(asked, limits.fuel, problem));
    return;
  }
  print(text);
  message(`Nothing ran. ${hint}`);
}
