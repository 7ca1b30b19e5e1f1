import { type Command, Option } from 'commander';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import { isJsonObject, type JsonValue } from '../engine/encoding/json.ts';
import { type Admission, createGate } from '../engine/gate/admit.ts';
import type { Tier } from '../engine/gate/types.ts';
import type { Policy } from '../engine/governance/types.ts';
import { readModule } from '../engine/platform/node/files.ts';
import type { Manifest } from '../engine/project/manifest.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../engine/runtime/types.ts';
import { CAPABILITIES, type Capability } from '../engine/whitelist/directives.ts';
import { notCertified, readCertificateFile } from './certificates.ts';
import { addGateOptions, type GateOptions, tier, wholeNumber } from './options.ts';
import { inspectNamed, type Subject } from './subject.ts';
import { color, MARK, wrap } from './terminal.ts';
import { gateEnvironment } from './workspace.ts';

/** What decides about running an executor, as `run` and `batch` take it. */
export interface ExecutionOptions extends GateOptions {
  readonly tier?: Tier;
  readonly fuel?: number;
  readonly timeout?: number;
  readonly grant?: readonly Capability[];
  readonly receipts?: string;
}

/** Adds the options of {@link ExecutionOptions} to a command. */
export function addExecutionOptions(command: Command): Command {
  command
    .option('--tier <tier>', 'load as this tier (default: the one its project designates)', tier)
    .option('--fuel <units>', 'the fuel limit, as the receipt states it', wholeNumber(1))
    .option('--timeout <ms>', 'the wall clock limit in milliseconds', wholeNumber(1))
    .addOption(
      new Option('--grant <capability>', 'grant a capability for this run; may be repeated')
        .choices(CAPABILITIES)
        .argParser(collectCapability),
    )
    .option('--receipts <folder>', 'where receipts go (default: .touchstone/receipts)');
  return addGateOptions(command);
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

/** Asks the gate about the subject, with its certificate where tier 1 is asked for. */
export async function admit(
  subject: Subject,
  asked: Tier,
  options: GateOptions,
): Promise<Admission> {
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

/** The input document that a document stands for: its own `input` where it is a case, else itself. */
export function inputOf(document: JsonValue): JsonValue {
  const isCase = isJsonObject(document) && Object.hasOwn(document, 'expect');
  return isCase ? (document.input ?? null) : document;
}

/** What governance decides by: the project's trust and capabilities, and what is granted here. */
export function policyOf({ manifest }: Subject, options: ExecutionOptions): Policy {
  return {
    trust: manifest?.trust ?? 'untrusted',
    declared: manifest?.capabilities ?? [],
    grants: new Set(options.grant),
  };
}

/** The project's limits, or the default ones, with those that are asked for. */
export function limitsOf({ manifest }: Subject, { fuel, timeout }: ExecutionOptions): RunLimits {
  return {
    ...(manifest?.limits ?? DEFAULT_LIMITS),
    ...(fuel !== undefined && { fuel }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
  };
}

/** What a project says of how its executor runs, beside its limits. */
export function projectSettings({ entry, memoryProfile, budget }: Manifest) {
  return { entry, memoryProfile, budget };
}

/** Says in a sentence which check the subject failed. */
export function describeRefusal(
  subject: Subject,
  admission: Admission & { readonly admitted: false },
): string {
  const name = color.bold(displayText(subject.executor));
  return wrap(
    `${MARK.fail} ${name} was not admitted: ${admission.failed}: ${admission.detail}`,
    '',
    '  ',
  );
}
