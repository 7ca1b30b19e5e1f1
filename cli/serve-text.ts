import { displayText, shortHash } from '../engine/encoding/display.ts';
import type { AnsweredRequest } from '../engine/platform/node/serve/endpoint.ts';
import type {
  AdmittedMachine,
  RefusedMachine,
} from '../engine/platform/node/serve/served-machine.ts';
import { color, columns, MARK } from './terminal.ts';

/** A machine as it is when the server begins to listen. */
export interface ListedMachine {
  readonly name: string;
  readonly path: string;
  readonly state: AdmittedMachine | RefusedMachine;
}

/** What is served where, as a document. */
export function serveDocument(
  url: string,
  environment: string,
  machines: readonly ListedMachine[],
) {
  return {
    url,
    environment,
    machines: machines.map(({ name, path, state }) => ({
      name,
      path,
      ...('refused' in state
        ? { admitted: false, failed: state.refused, detail: state.detail }
        : {
            admitted: true,
            executor: state.subject.executor,
            tier: state.executor.tier,
            certificateHash: state.executor.certificateHash,
          }),
    })),
  };
}

/** The same for people: where, as whom, and a line for each machine. */
export function describeServing(
  url: string,
  environment: string,
  machines: readonly ListedMachine[],
): string {
  const rows = machines.map(({ name, state }) => {
    const shown = color.bold(displayText(name, 200));
    return 'refused' in state
      ? [`${MARK.fail} ${shown}`, `${color.red('not admitted')}: ${state.refused}`]
      : [
          `${MARK.ok} ${shown}`,
          `${displayText(state.subject.executor)}, tier ${state.executor.tier}, certified`,
        ];
  });
  return [
    `${MARK.ok} serving ${url}`,
    `  as environment ${environment}`,
    ...columns(rows, '  '),
  ].join('\n');
}

/** A request in one line, for the log: no input, no output, no secret. */
export function describeAnswered(answered: AnsweredRequest): string {
  const { peer, what, machine, status, outcome, attestation, took } = answered;
  return [
    new Date().toISOString(),
    displayText(peer, 60),
    what,
    machine === undefined ? '-' : displayText(machine, 200).replaceAll(' ', '\\u{20}'),
    status,
    outcome,
    `${took.toFixed(1)} ms`,
    ...(attestation === undefined ? [] : [shortHash(attestation)]),
  ].join(' ');
}
