import { resolve } from 'node:path';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { canonicalBytes } from '../../../../encoding/json.ts';
import { AdmissionError, type AdmittedExecutor } from '../../../../gate/admit.ts';
import type { GateEnvironment } from '../../../../gate/types.ts';
import {
  type EffectOutcome,
  failed,
  type Link,
  performed,
  refused,
} from '../../../../governance/effect.ts';
import type { MachineEntry } from '../../../../governance/grants/machine.ts';
import type { Means, Policy } from '../../../../governance/types.ts';
import { governedRun, type RunReport, type RunServices } from '../../../../governed/run.ts';
import { serializeReceipt } from '../../../../provenance/receipt.ts';
import { admitSubject } from '../../admission.ts';
import { limitsOf, projectSettings } from '../../execution.ts';
import { findSubject, type Subject } from '../../subject.ts';
import type { MachineCall, MachineCaller } from './machine-handler.ts';

/** What calls of machines here share with the run that makes them. */
export interface LocalMachineOptions {
  readonly services: RunServices;
  /** Everything the gate decides by about a subject. */
  readonly environmentFor: (subject: Subject) => Promise<GateEnvironment>;
  /** What governance decides by about a machine's own project. */
  readonly policyFor: (subject: Subject) => Policy;
  /** The means of the calling run: its budgets are the callee's too. */
  readonly means: () => Means;
  /** The folder that relative paths are relative to. */
  readonly base: string;
}

/** The tier of a machine that has no manifest to say one. */
const TIER = 1;

/**
 * Calls executors of this machine: each is put before the gate with its own certificate, at the tier
 * that its project designates, has its own trust and capabilities, and leaves receipts in its own chain,
 * the last of which the caller's receipt names.
 */
export function createLocalMachine(options: LocalMachineOptions): MachineCaller {
  return {
    call: async (entry, call) => {
      if (!('path' in entry)) return refused('machine-not-here', `${entry.name} is not here`);
      try {
        return await callLocal(options, entry, call);
      } catch (error) {
        return problemOf(entry, error);
      }
    },
  };
}

async function callLocal(
  { services, environmentFor, policyFor, means, base }: LocalMachineOptions,
  entry: MachineEntry & { readonly path: string },
  { inputs, depth, signal, resultBytes }: MachineCall,
): Promise<EffectOutcome> {
  const subject = await findSubject(resolve(base, entry.path));
  const admitted = await admitHere(subject, await environmentFor(subject));
  if (typeof admitted === 'string') {
    return refused('not-admitted', `${displayText(entry.name, 100)}: ${admitted}`);
  }
  const { manifest, name } = subject;
  const report = await governedRun(services, {
    executor: admitted,
    ...{ name, depth, signal },
    version: manifest?.version ?? '0',
    input: { context: inputs },
    limits: limitsOf(subject, {}),
    ...(manifest && projectSettings(manifest)),
    policy: policyFor(subject),
    means: means(),
  });
  return outcomeOf(services, entry, report, resultBytes);
}

async function admitHere(
  subject: Subject,
  environment: GateEnvironment,
): Promise<AdmittedExecutor | string> {
  const tier = subject.manifest?.tier ?? TIER;
  const request = { certificate: undefined, remedy: 'certify it' };
  const admission = await admitSubject(subject, tier, environment, request);
  return admission.admitted ? admission.executor : admission.failed;
}

function outcomeOf(
  { crypto }: RunServices,
  { name }: MachineEntry,
  report: RunReport,
  resultBytes: number,
): EffectOutcome {
  const link: Link = { receipt: crypto.sha256(serializeReceipt(report.receipt)) };
  const shown = displayText(name, 100);
  if (report.status !== 'ok') {
    const code = report.status === 'cancelled' ? 'cancelled' : 'machine-failed';
    const why = report.problem === undefined ? '' : `: ${displayText(report.problem.message, 200)}`;
    return { ...failed(code, `${shown} ended ${report.status}${why}`), link };
  }
  const bytes = canonicalBytes(report.result).length;
  if (bytes > resultBytes) {
    const message = `${shown} answered ${bytes} bytes; at most ${resultBytes} are taken`;
    return { ...failed('too-large', message), link };
  }
  return { ...performed({ result: report.result }, { bytes }), link };
}

/** Why a machine could not be called, for the executor that asked: nothing ran. */
function problemOf({ name }: MachineEntry, error: unknown): EffectOutcome {
  const shown = displayText(name, 100);
  if (error instanceof InputError) return failed('machine-failed', `${shown}: ${error.message}`);
  if (error instanceof AdmissionError) return refused('not-admitted', `${shown}: ${error.message}`);
  return failed('machine-failed', `${shown} could not be called`);
}
