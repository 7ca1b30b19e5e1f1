import { Command } from 'commander';
import type { Signer } from '../../engine/crypto/crypto.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { type JsonValue, parseJson } from '../../engine/encoding/json.ts';
import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import type { Tier } from '../../engine/gate/types.ts';
import { notAdmittedDocument, runDocument } from '../../engine/governed/documents.ts';
import { governedRun, type RunReport } from '../../engine/governed/run.ts';
import type { StateRequest } from '../../engine/governed/state.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import {
  limitsOf,
  policyOf,
  projectSettings,
  withoutReceipt,
} from '../../engine/platform/node/execution.ts';
import { readDocument } from '../../engine/platform/node/files.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
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
import { waitForInterrupt } from '../interrupt.ts';
import { type Format, formatOption } from '../options.ts';
import { describeRun } from '../run-text.ts';
import { readStandardInput } from '../standard-input.ts';
import { withStateFile } from '../state-file.ts';
import { MARK, message, print, printJson, wrap } from '../terminal.ts';
import { type Payment, spendForRun } from '../vouchers.ts';
import { loadTrustStore, workspaceFile } from '../workspace.ts';

interface RunOptions extends ExecutionOptions {
  readonly input: string;
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

A file that holds a case ({ "input": …, "expect": … }) stands for its input.
With --voucher the run has the voucher's fuel, or the limit where that is less.
With --state the executor keeps its memory from one run to the next. The state
continues the receipts it came with, and no others.
Effects are recorded as directives, with the decision about each; this version
performs none of them.`,
    )
    .action(runAction);
}

async function runAction(path: string, options: RunOptions): Promise<void> {
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
  const report = await run({ ...asked, limits: { ...limits, fuel: payment.fuel } }, environment);
  if (options.format === 'json') printJson(runDocument(report));
  else print(describeRun(report));
  if (report.stateProblem !== undefined) message(`${MARK.fail} ${report.stateProblem}`);
  if (report.status !== 'ok' || report.stateProblem !== undefined) process.exitCode = 1;
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

async function run(
  { subject, executor, input, limits, options, signal }: AdmittedRun,
  environment: Signer,
): Promise<RunReport> {
  const isolation = createExecutorPool(1);
  const receipts = fileReceiptStore(nodeCrypto, options.receipts ?? workspaceFile('receipts'));
  const { name, manifest } = subject;
  const version = manifest?.version ?? '0';
  const runOnce = (state?: StateRequest) =>
    governedRun(
      { crypto: nodeCrypto, isolation, receipts, environment, now: () => performance.now() },
      {
        ...{ executor, name, version, input, limits, state },
        ...(manifest && projectSettings(manifest)),
        policy: policyOf(subject, options.grant),
        signal,
      },
    );
  try {
    if (options.state === undefined) return await runOnce();
    const about = {
      trust: await withOwnEnvironment(await loadTrustStore(options.trust)),
      executor: `${name}@${version}`,
      admitted: executor,
      memoryProfile: manifest?.memoryProfile,
      limits,
    };
    return await withStateFile(options.state, receipts.open(name), about, runOnce);
  } catch (error) {
    throw withoutReceipt(error);
  } finally {
    await isolation.close();
  }
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
