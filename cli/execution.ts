import type { Command } from 'commander';
import { displayText } from '../engine/encoding/display.ts';
import { isJsonObject, type JsonValue } from '../engine/encoding/json.ts';
import type { Admission } from '../engine/gate/admit.ts';
import type { Tier } from '../engine/gate/types.ts';
import { admitSubject } from '../engine/platform/node/admission.ts';
import type { AskedLimits } from '../engine/platform/node/execution.ts';
import type { Subject } from '../engine/platform/node/subject.ts';
import { addGateOptions, type GateOptions, tier, wholeNumber } from './options.ts';
import { color, MARK, wrap } from './terminal.ts';
import { gateEnvironment } from './workspace.ts';

/** What decides about running an executor, as `run` and `batch` take it. */
export interface ExecutionOptions extends GateOptions {
  readonly tier?: Tier;
  readonly fuel?: number;
  readonly timeout?: number;
  readonly receipts?: string;
}

/** Adds the options of {@link ExecutionOptions} to a command. */
export function addExecutionOptions(command: Command): Command {
  command
    .option('--tier <tier>', 'load as this tier (default: the one its project designates)', tier)
    .option('--fuel <units>', 'the fuel limit, as the receipt states it', wholeNumber(1))
    .option('--timeout <ms>', 'the wall clock limit in milliseconds', wholeNumber(1))
    .option('--receipts <folder>', 'where receipts go (default: .touchstone/receipts)');
  return addGateOptions(command);
}

/** What `verify` and the gate say of an executor without a certificate, for those who have a terminal. */
export function certifyRemedy({ path }: Subject): string {
  return `issue one: touchstone certify ${displayText(path, 500)} --key FILE`;
}

/** Asks the gate about the subject, with its certificate where tier 1 is asked for. */
export async function admit(
  subject: Subject,
  asked: Tier,
  options: GateOptions,
): Promise<Admission> {
  const environment = await gateEnvironment(subject, options);
  return admitSubject(subject, asked, environment, {
    certificate: options.certificate,
    remedy: certifyRemedy(subject),
  });
}

/** The input document that a document stands for: its own `input` where it is a case, else itself. */
export function inputOf(document: JsonValue): JsonValue {
  const isCase = isJsonObject(document) && Object.hasOwn(document, 'expect');
  return isCase ? (document.input ?? null) : document;
}

/** The limits among the options. */
export function askedLimits({ fuel, timeout }: ExecutionOptions): AskedLimits {
  return { fuel, timeoutMs: timeout };
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
