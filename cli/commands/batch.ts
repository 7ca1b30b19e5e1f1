import { availableParallelism } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import { type GovernedBatchRequest, governedBatch } from '../../engine/governed/batch.ts';
import type { RunServices } from '../../engine/governed/run.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { limitsOf, policyOf, projectSettings } from '../../engine/platform/node/execution.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import { storeError } from '../../engine/platform/node/receipt-store-files.ts';
import { withLock } from '../../engine/platform/node/receipt-store-lock.ts';
import { findSubject, type Subject } from '../../engine/platform/node/subject.ts';
import type { Signing } from '../../engine/provenance/record.ts';
import type { Binding } from '../batch/binding.ts';
import { type InputFile, openInputs } from '../batch/inputs.ts';
import { createLineSet } from '../batch/line-set.ts';
import { openResults } from '../batch/open-results.ts';
import { sinkOf } from '../batch/sink.ts';
import { createTally, type Tally } from '../batch/tally.ts';
import { environmentSigner } from '../environment-key.ts';
import {
  addExecutionOptions,
  admit,
  askedLimits,
  describeRefusal,
  type ExecutionOptions,
} from '../execution.ts';
import { createExecutorPool } from '../executor-pool.ts';
import { waitForInterrupt } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { message, plural } from '../terminal.ts';
import { loadPolicy, workspaceFile } from '../workspace.ts';

interface BatchOptions extends ExecutionOptions {
  readonly inputs: string;
  readonly jobs: number;
  readonly out?: string;
  readonly unordered?: true;
  readonly sign: Signing;
}

/** More places to run in than this are of no use, and each takes memory. */
const MAX_JOBS = 256;

/** `touchstone batch PATH`. */
export function batchCommand(): Command {
  const command = new Command('batch')
    .description('run an executor on many inputs, with a receipt for each run')
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one')
    .requiredOption('--inputs <file>', 'the inputs, one JSON document a line')
    .option('--jobs <n>', 'how many run at once', wholeNumber(1), availableParallelism())
    .option('--out <file>', 'where results go (default: stdout); a batch with one can be resumed')
    .option('--unordered', 'give results as they come, not in the order of the inputs')
    .addOption(
      new Option('--sign <how>', 'sign each receipt by itself, or many at once')
        .choices(['each', 'batch'])
        .default('batch'),
    );
  return addExecutionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone batch examples/echo --inputs inputs.jsonl --out results.jsonl
  $ touchstone batch examples/call --inputs inputs.jsonl --jobs 2 | grep -v '"ok"'

Each result is a line: { "line", "status", "result", "directives", "decisions",
"logs"?, "fuel", "receipt": { "epoch", "hash" }, "problem"? }. A line that is no
input document is answered with the status "invalid-input"; nothing ran then.

A batch performs no effects: what its runs ask for is recorded.

With --out, a batch that was stopped or killed goes on where it ended when the
same command is given again: no input is recorded twice, and none is left out.
Receipts that are signed many at once are proved one by one all the same:
touchstone receipts prove.`,
    )
    .action(batchAction);
}

async function batchAction(path: string, options: BatchOptions): Promise<void> {
  if (options.jobs > MAX_JOBS) {
    throw new InputError('usage', `--jobs: at most ${MAX_JOBS} run at once`);
  }
  const subject = await findSubject(path);
  const inputs = await openInputs(options.inputs);
  try {
    const admission = await admit(subject, tierOf(subject, options), options);
    if (!admission.admitted) {
      process.exitCode = 1;
      message(describeRefusal(subject, admission));
      message(`Nothing ran. All checks: touchstone verify ${displayText(subject.path, 500)}`);
      return;
    }
    const { out } = options;
    const go = () => runBatch(subject, admission.executor, inputs, options);
    if (out === undefined) await go();
    else await alone(out, go);
  } finally {
    await inputs.close();
  }
}

/** Runs while no other process writes to the same results. */
async function alone(out: string, go: () => Promise<void>): Promise<void> {
  try {
    await withLock(`${out}.lock`, 0, go);
  } catch (error) {
    throw storeError(error, 'unwritable', out, '--out');
  }
}

/** A process is sent this many runs beside the one that it executes, and as many more are made ready. */
const RUNS_AHEAD = 1;

/** Runs are recorded in groups, each so many milliseconds after the one before. */
const GROUP_EVERY_MS = 50;

async function runBatch(
  subject: Subject,
  executor: AdmittedExecutor,
  inputs: InputFile,
  options: BatchOptions,
): Promise<void> {
  const environment = await environmentSigner();
  const policy = policyOf(subject, (await loadPolicy(options.policy)).governance);
  const receipts = fileReceiptStore(nodeCrypto, receiptsFolder(options));
  const tally = createTally();
  const done = createLineSet(inputs.lines);
  const results =
    options.out === undefined
      ? undefined
      : await openResults(options.out, receipts.open(subject.name), {
          binding: {
            ...bindingOf(subject, executor, options),
            inputs: inputs.sha256,
            trust: policy.trust,
            capabilities: [...policy.declared],
            signer: environment.publicKey.keyId,
          },
          onResult: ({ line, status, fuel }) => {
            done.add(line);
            tally.add(status, fuel?.used);
          },
        });
  const before = tally.total;
  if (before > 0 && before < inputs.lines) {
    message(
      `Going on after ${plural(before, 'input')} of ${inputs.lines.toLocaleString('en-US')}.`,
    );
  }
  const isolation = createExecutorPool(options.jobs, RUNS_AHEAD);
  const stop = waitForInterrupt(sayStopping);
  const started = performance.now();
  const sink = sinkOf(results, tally, inputs.lines);
  try {
    const now = () => performance.now();
    const services: RunServices = { crypto: nodeCrypto, isolation, receipts, environment, now };
    await governedBatch(
      services,
      {
        ...requestOf(subject, executor, options),
        policy,
        inputs: inputs.read(done.has),
        pause: () => sleep(GROUP_EVERY_MS),
        signal: stop.signal,
      },
      sink,
    );
  } finally {
    sink.end();
    stop.end();
    await isolation.close();
    await results?.close();
  }
  conclude(tally, {
    before,
    inputs: inputs.lines,
    ms: performance.now() - started,
    out: options.out,
  });
}

function requestOf(
  subject: Subject,
  executor: AdmittedExecutor,
  options: BatchOptions,
): Omit<GovernedBatchRequest, 'inputs' | 'pause' | 'policy' | 'signal'> {
  return {
    executor,
    name: subject.name,
    version: subject.manifest?.version ?? '0',
    limits: limitsOf(subject, askedLimits(options)),
    ...(subject.manifest && projectSettings(subject.manifest)),
    signing: options.sign,
    ordered: options.unordered !== true,
    runs: (2 + RUNS_AHEAD) * options.jobs,
  };
}

function bindingOf(
  subject: Subject,
  executor: AdmittedExecutor,
  options: BatchOptions,
): Omit<Binding, 'inputs' | 'trust' | 'capabilities' | 'signer'> {
  return {
    executor: subject.executor,
    artifact: executor.artifactHash,
    certificate: executor.certificateHash,
    whitelist: executor.whitelistHash,
    tier: executor.tier,
    entry: subject.manifest?.entry ?? 'plan',
    limits: { ...limitsOf(subject, askedLimits(options)) },
    sign: options.sign,
    order: options.unordered === true ? 'completion' : 'input',
    receipts: relative(dirname(resolve(options.out ?? '')), resolve(receiptsFolder(options))),
  };
}

/** The first Ctrl-C lets what runs come to its end. */
function sayStopping(): void {
  message('Stopping: what runs is recorded first. Ctrl-C again ends at once.');
}

function conclude(
  tally: Tally,
  {
    before,
    inputs,
    ms,
    out,
  }: {
    readonly before: number;
    readonly inputs: number;
    readonly ms: number;
    readonly out: string | undefined;
  },
): void {
  const ran = tally.total - before;
  const rate =
    ran === 0 ? '' : `; ${Math.round((1000 * ran) / ms).toLocaleString('en-US')} a second`;
  message(`${tally.describe()}${rate}`);
  if (!tally.isWell) process.exitCode = 1;
  if (tally.total >= inputs) return;
  process.exitCode = 1;
  const left = plural(inputs - tally.total, 'input');
  message(
    out === undefined
      ? `Stopped with ${left} left. A batch without --out cannot be resumed.`
      : `Stopped with ${left} left. To go on, give the same command again.`,
  );
}

function tierOf(subject: Subject, options: BatchOptions): 1 | 2 | 3 {
  return options.tier ?? subject.manifest?.tier ?? 1;
}

function receiptsFolder({ receipts }: BatchOptions): string {
  return receipts ?? workspaceFile('receipts');
}
