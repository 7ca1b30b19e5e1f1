import { Command, Option } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../engine/encoding/json.ts';
import { type Admission, type AdmittedExecutor, createGate } from '../../engine/gate/admit.ts';
import { PURITY_METHODS, type Tier } from '../../engine/gate/types.ts';
import type { Policy } from '../../engine/governance/types.ts';
import { governedRun, type RunReport } from '../../engine/governed-run.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { readDocument, readModule } from '../../engine/platform/node/files.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import { createWorkerIsolation } from '../../engine/platform/node/worker-isolation.ts';
import { inputBytes } from '../../engine/runtime/input.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../engine/runtime/types.ts';
import { CAPABILITIES, type Capability } from '../../engine/whitelist/directives.ts';
import { notCertified, readCertificateFile } from '../certificates.ts';
import { environmentSigner } from '../environment-key.ts';
import {
  addGateOptions,
  type Format,
  formatOption,
  type GateOptions,
  tier,
  wholeNumber,
} from '../options.ts';
import { describeRun } from '../run-text.ts';
import { readStandardInput } from '../standard-input.ts';
import { findSubject, inspectNamed, type Subject } from '../subject.ts';
import { color, MARK, message, print, printJson, wrap } from '../terminal.ts';
import { gateEnvironment, workspaceFile } from '../workspace.ts';

interface RunOptions extends GateOptions {
  readonly input: string;
  readonly tier?: Tier;
  readonly fuel?: number;
  readonly timeout?: number;
  readonly grant?: readonly Capability[];
  readonly receipts?: string;
  readonly format: Format;
}

/** `touchstone run PATH`. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('run an executor behind the gate, govern its directives, leave a receipt')
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one')
    .option('--input <json>', 'the input document: JSON, @FILE, or - for standard input', '{}')
    .option('--tier <tier>', 'load as this tier (default: the one its project designates)', tier)
    .option('--fuel <units>', 'the fuel limit, as the receipt states it', wholeNumber(1))
    .option('--timeout <ms>', 'the wall clock limit in milliseconds', wholeNumber(1))
    .addOption(
      new Option('--grant <capability>', 'grant a capability for this run; may be repeated')
        .choices(CAPABILITIES)
        .argParser(collectCapability),
    )
    .option('--receipts <folder>', 'where receipts go (default: .touchstone/receipts)');
  return addGateOptions(command)
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone run examples/echo --input '{"context":{"say":"hello"}}'
  $ touchstone run examples/echo --input @examples/echo/cases/answers-with-the-input.json
  $ cat input.json | touchstone run examples/call --input - --format json

A file that holds a case ({ "input": …, "expect": … }) stands for its input.
Effects are recorded as directives, with the decision about each; this version
performs none of them.`,
    )
    .action(runAction);
}

function collectCapability(value: string, previous: readonly Capability[] = []) {
  const found = CAPABILITIES.find((capability) => capability === value);
  if (found === undefined) {
    throw new InputError(
      'usage',
      `--grant: "${displayText(value)}" is no capability; there are ${CAPABILITIES.join(', ')}`,
    );
  }
  return [...previous, found];
}

async function runAction(path: string, options: RunOptions): Promise<void> {
  const subject = await findSubject(path);
  const input = await readInput(options.input);
  const limits = limitsOf(subject, options);
  const asked = options.tier ?? subject.manifest?.tier ?? 1;
  const admission = await admit(subject, asked, options);
  if (!admission.admitted) {
    refuse(subject, asked, limits, admission, options.format);
    return;
  }
  const report = await run(subject, admission.executor, input, limits, options);
  if (options.format === 'json') printJson(toJson(report));
  else print(describeRun(report));
  if (report.status !== 'ok') process.exitCode = 1;
}

async function admit(subject: Subject, asked: Tier, options: RunOptions): Promise<Admission> {
  const gate = createGate(await gateEnvironment(subject, options));
  const bytes = await readModule(subject.artifact);
  const common = {
    bytes,
    ...(subject.manifest && { designatedTier: subject.manifest.tier }),
  };
  const certificate =
    asked === 1 ? await readCertificateFile(subject.artifact, options.certificate) : undefined;
  if (certificate !== undefined) {
    const { bytes: contents, name } = certificate;
    return gate.admit({ ...common, tier: 1, certificate: contents, certificateName: name });
  }
  // Without a certificate nothing has said yet that the bytes are a module at all.
  inspectNamed(subject.artifact, bytes);
  if (asked !== 1) return gate.admit({ ...common, tier: asked });
  const failed = notCertified(subject);
  return { admitted: false, failed: failed.code, detail: failed.detail, checks: [failed] };
}

async function run(
  subject: Subject,
  executor: AdmittedExecutor,
  input: JsonValue,
  limits: RunLimits,
  options: RunOptions,
): Promise<RunReport> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once('SIGINT', cancel);
  const environment = await environmentSigner();
  const isolation = createWorkerIsolation({
    script: new URL('./executor-host.js', import.meta.url),
  });
  try {
    return await governedRun(
      {
        crypto: nodeCrypto,
        isolation,
        receipts: fileReceiptStore(nodeCrypto, options.receipts ?? workspaceFile('receipts')),
        environment,
      },
      {
        executor,
        name: subject.name,
        version: subject.manifest?.version ?? '0',
        input,
        limits,
        ...(subject.manifest && { entry: subject.manifest.entry }),
        policy: policyOf(subject, options),
        signal: abort.signal,
      },
    );
  } catch (error) {
    throw withoutReceipt(error);
  } finally {
    process.removeListener('SIGINT', cancel);
    await isolation.close();
  }
}

function withoutReceipt(error: unknown): unknown {
  if (!(error instanceof InputError) || error.code !== 'unwritable') return error;
  const message = `nothing of this run is acknowledged, for its receipt was not written: ${error.message}`;
  return new InputError('unwritable', message, { cause: error });
}

function policyOf({ manifest }: Subject, options: RunOptions): Policy {
  return {
    trust: manifest?.trust ?? 'untrusted',
    declared: manifest?.capabilities ?? [],
    grants: new Set(options.grant),
  };
}

function limitsOf({ manifest }: Subject, { fuel, timeout }: RunOptions): RunLimits {
  return {
    ...(manifest?.limits ?? DEFAULT_LIMITS),
    ...(fuel !== undefined && { fuel }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
  };
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
  const document = parseJson(bytes, what);
  const isCase = isJsonObject(document) && Object.hasOwn(document, 'expect');
  return isCase ? (document.input ?? null) : document;
}

/** `run --format json`: the fields of DESIGN 10; `problem` says why there is no result. */
function toJson(report: RunReport) {
  const { status, result, directives, logs, fuel, tier, purityMethod, receipt, problem } = report;
  const decisions = report.decisions.map(({ directive, ...decision }) => ({
    type: directive.type,
    ...decision,
  }));
  return {
    status,
    result,
    directives,
    decisions,
    logs,
    fuel,
    tier,
    purityMethod,
    receipt,
    ...(problem !== undefined && { problem }),
  };
}

function refuse(
  subject: Subject,
  asked: Tier,
  limits: RunLimits,
  admission: Admission & { readonly admitted: false },
  format: Format,
): void {
  process.exitCode = 1;
  if (format === 'json') {
    printJson({
      status: 'not-admitted',
      result: null,
      directives: [],
      decisions: [],
      logs: [],
      fuel: { limit: limits.fuel, used: null },
      tier: asked,
      purityMethod: PURITY_METHODS[asked],
      receipt: null,
      problem: { code: admission.failed, message: admission.detail },
    });
    return;
  }
  const name = color.bold(displayText(subject.executor));
  print(
    wrap(
      `${MARK.fail} ${name} was not admitted: ${admission.failed}: ${admission.detail}`,
      '',
      '  ',
    ),
  );
  message(`Nothing ran. All checks: touchstone verify ${displayText(subject.path, 500)}`);
}
