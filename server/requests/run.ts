import { join } from 'node:path';
import type { CancellationToken } from 'vscode-languageserver';
import type { Signer } from '../../engine/crypto/crypto.ts';
import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import { phaseAt } from '../../engine/governance/phase.ts';
import { notAdmittedDocument, runDocument } from '../../engine/governed/documents.ts';
import { governedRun, type RunReport, type RunServices } from '../../engine/governed/run.ts';
import { admitSubject } from '../../engine/platform/node/admission.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { limitsOf, projectSettings, withoutReceipt } from '../../engine/platform/node/execution.ts';
import { ignoreOwnState } from '../../engine/platform/node/own-environment.ts';
import { fileReceiptStore, RECEIPTS_FOLDER } from '../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../engine/platform/node/run-journal.ts';
import type { Isolation } from '../../engine/runtime/isolation.ts';
import type { Phase } from '../../engine/runtime/types.ts';
import type { RunAnswer } from '../protocol.ts';
import type { Executors } from './executors.ts';
import { RequestError } from './failures.ts';
import { openInterpreterFor } from './interpreter.ts';
import type { RunOrder } from './params.ts';
import { tellingPhases } from './phases.ts';
import type { RequestServing } from './serving.ts';
import { clientSigner } from './sign.ts';
import {
  CERTIFY_REMEDY,
  gateEnvironmentFor,
  policyFor,
  type TrustedSubject,
  trustedSubjectAt,
} from './subjects.ts';

/**
 * Runs the executor at a path behind the gate, in a process of its own, and records the run in the
 * receipts of its workspace folder.
 * @param token ends the run as `cancelled`, with a receipt, once the gate has admitted the executor.
 * @throws {RequestError} `not-trusted` or `outside-workspace`: nothing ran; `signature-refused` where the
 *   receipt is not signed.
 * @throws {InputError} for an executor, certificate, whitelist, trust store or policy that cannot be
 *   used: nothing ran; `unwritable` and the like where the receipt is not written.
 */
export async function runAt(
  serving: RequestServing,
  executors: Executors,
  order: RunOrder,
  token: CancellationToken,
): Promise<RunAnswer> {
  const trusted = await trustedSubjectAt(serving, order.uri, 'running');
  const progress = serving.connection.window.attachWorkDoneProgress(order.workDoneToken);
  progress.begin(trusted.subject.name, undefined, 'gate', true);
  try {
    const tell = (phase: Phase) => progress.report(phase);
    return await admitAndRun(serving, executors, { ...trusted, order, token, tell });
  } finally {
    progress.done();
  }
}

/** A run that is allowed here, if the gate lets it through. */
interface AllowedRun extends TrustedSubject {
  readonly order: RunOrder;
  readonly token: CancellationToken;
  readonly tell: (phase: Phase) => void;
}

async function admitAndRun(
  serving: RequestServing,
  executors: Executors,
  allowed: AllowedRun,
): Promise<RunAnswer> {
  const { subject, order, tell } = allowed;
  const asked = order.tier ?? subject.manifest?.tier ?? 1;
  const environment = await gateEnvironmentFor(serving, subject);
  const request = { certificate: undefined, remedy: CERTIFY_REMEDY };
  const admission = await admitSubject(subject, asked, environment, request);
  if (!admission.admitted) {
    const { failed, detail } = admission;
    const { fuel } = limitsOf(subject, order);
    return notAdmittedDocument(asked, fuel, { code: failed, message: detail });
  }
  tell('instantiate');
  const signer = clientSigner(serving, { key: order.environment, purposeOf: () => 'receipt' });
  return executors.use(async (isolation, end) =>
    runDocument(await run(serving, admission.executor, allowed, { isolation, end, signer })),
  );
}

/** What a run takes beside what is run. */
interface RunMeans {
  readonly isolation: Isolation;
  /** Ends the run, as its own cancellation does. */
  readonly end: AbortSignal;
  readonly signer: Signer;
}

async function run(
  serving: RequestServing,
  executor: AdmittedExecutor,
  { subject, folder, order, token, tell }: AllowedRun,
  { isolation, end, signer }: RunMeans,
): Promise<RunReport> {
  const { name, manifest } = subject;
  const found = await policyFor(serving, subject);
  await ignoreOwnState(folder);
  const receipts = join(folder, RECEIPTS_FOLDER);
  const journal = fileRunJournal(nodeCrypto, receipts);
  const services: RunServices = {
    crypto: nodeCrypto,
    isolation,
    receipts: fileReceiptStore(nodeCrypto, receipts),
    journal,
    environment: signer,
    now: () => performance.now(),
  };
  const { grants = [] } = order;
  const interpreter = await openInterpreterFor(serving, services, { folder, ...found, grants });
  try {
    // Hooks and machines that are called run too, in phases that nobody follows.
    return await governedRun(tellingPhases(services, tell), {
      executor,
      name,
      version: manifest?.version ?? '0',
      input: order.input,
      limits: limitsOf(subject, order),
      ...(manifest && projectSettings(manifest)),
      policy: { ...interpreter.policyFor(subject), phase: phaseAt(interpreter.phases, 0) },
      means: interpreter.means,
      events: () => {},
      signal: AbortSignal.any([signalOf(token), end]),
    });
  } catch (error) {
    throw unacknowledged(error);
  } finally {
    await interpreter.close();
    await journal.close();
  }
}

/** The error of a run that came to its end: without a receipt nothing of it counts. */
function unacknowledged(error: unknown): unknown {
  if (!(error instanceof RequestError)) return withoutReceipt(error);
  const { code, message } = error;
  const told = `nothing of this run is acknowledged: ${message}`;
  return new RequestError(code, told, { cause: error });
}

function signalOf(token: CancellationToken): AbortSignal {
  const abort = new AbortController();
  if (token.isCancellationRequested) abort.abort();
  // The token goes when the request is answered, and the listener with it.
  else token.onCancellationRequested(() => abort.abort());
  return abort.signal;
}
