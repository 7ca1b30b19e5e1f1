import { Command } from 'commander';
import {
  type Compatibility,
  type Conjunct,
  checkCompatibility,
  parseCompatibility,
} from '../engine/attestation/compatibility.ts';
import { parseAttestation } from '../engine/attestation/record.ts';
import {
  type EnvelopedAttestation,
  parseEnvelopedAttestation,
} from '../engine/attestation/statement.ts';
import type { Attestation, AttestationRecord } from '../engine/attestation/types.ts';
import {
  ATTESTATION_STEPS,
  type AttestationQuestion,
  type AttestationStep,
  type AttestationStepCode,
  verifyAttestation,
  verifyEnvelopedAttestation,
} from '../engine/attestation/verify.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import { isJsonObject, parseJson } from '../engine/encoding/json.ts';
import type { GateEnvironment } from '../engine/gate/types.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { builtInHere, readWhitelist } from '../engine/platform/node/deciders.ts';
import { readDocument, readModule } from '../engine/platform/node/files.ts';
import { lookUpReceipts, type ReceiptsLookup } from './attest-receipts.ts';
import { withOwnEnvironment } from './environment-key.ts';
import { type Format, formatOption, type GateOptions } from './options.ts';
import { color, labelled, MARK, plural, print, printJson, wrap } from './terminal.ts';
import { describeDeciders, loadPolicy, loadTrustStore } from './workspace.ts';

interface VerifyOptions extends Omit<GateOptions, 'certificate'> {
  readonly compatibility?: string;
  readonly artifact?: string;
  readonly receipts?: string;
  readonly format: Format;
}

/** What each step establishes, for people. */
const STEP_TEXTS: Readonly<Record<AttestationStepCode, string>> = {
  'environment-key': 'the environment is one that is trusted here',
  'environment-signature': 'it signed exactly this',
  certificate: 'the certificate holds',
  'environment-policy': 'certificate and environment are as this place asks',
};

/** All that is said of a record. */
interface Verdict {
  readonly valid: boolean;
  readonly steps: readonly AttestationStep[];
  /** Answered once what it is about has verified. */
  readonly compatibility?: {
    readonly compatible: boolean;
    readonly conjuncts: readonly Conjunct[];
  };
  readonly receipts?: ReceiptsLookup;
  readonly record: Attestation | AttestationRecord;
}

/** `touchstone attest verify FILE`. */
export function verifyAttestationCommand(): Command {
  return new Command('verify')
    .description('verify an attestation record, or its DSSE form, step by step')
    .argument('<file>', 'an attestation record (.attestation.json), or its DSSE envelope')
    .option(
      '--trust <file>',
      "a trust store with environments and certifiers (default: the workspace's, and its own key)",
    )
    .option('--policy <file>', 'the policy (default: .touchstone/policy.json, if there is one)')
    .option('--compatibility <file>', 'what an environment must be to be worked with')
    .option('--artifact <file>', 'the module (.wasm) that it is said to be about')
    .option('--receipts <folder>', 'a folder of chains, to look its receipts up in')
    .option('--whitelist <reference>', 'NAME@VERSION or a file (default: mashin@1)')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone attest verify echo.attestation.json --trust partners.json
  $ touchstone attest verify echo.attestation.json --compatibility them.json

The steps are taken in their order; the first that fails is the last one taken.
Of compatibility all four conjuncts are answered, each with what would have to
change for it to hold.`,
    )
    .action(async (file: string, options: VerifyOptions) => {
      const { verdict, environment } = await judge(file, options);
      if (options.format === 'json') printJson(verdict);
      else {
        print(describe(displayText(file, 500), verdict, options));
        print(color.dim(describeDeciders(options, environment.whitelist)));
      }
      if (!verdict.valid) process.exitCode = 1;
    });
}

async function judge(file: string, options: VerifyOptions) {
  const read = await readAttestationFile(file);
  const environment = await environmentHere(options);
  const compatibility = await readCompatibility(options.compatibility);
  const asked: AttestationQuestion = {
    ...(options.artifact !== undefined && { artifact: await readModule(options.artifact) }),
    ...(compatibility !== undefined && { compatibility }),
  };
  const isEnveloped = 'envelope' in read;
  const steps = isEnveloped
    ? verifyEnvelopedAttestation(environment, read, asked)
    : verifyAttestation(environment, read, asked);
  const record = isEnveloped ? read.attestation : read;
  const isTrue = steps.some(({ code }) => code === 'environment-policy');
  const conjuncts =
    compatibility && isTrue ? checkCompatibility(record, compatibility, environment) : undefined;
  const receipts =
    options.receipts !== undefined && isTrue
      ? await lookUpReceipts(options.receipts, record, environment.trust)
      : undefined;
  const verdict: Verdict = {
    valid: steps.every(({ ok }) => ok) && (receipts?.ok ?? true),
    steps,
    ...(conjuncts && {
      compatibility: { compatible: conjuncts.every(({ ok }) => ok), conjuncts },
    }),
    ...(receipts && { receipts }),
    record,
  };
  return { verdict, environment };
}

/** A record, or an attestation in an envelope: told apart by a field that only envelopes have. */
async function readAttestationFile(
  file: string,
): Promise<AttestationRecord | EnvelopedAttestation> {
  const bytes = await readDocument(file);
  const what = displayText(file, 500);
  const value = parseJson(bytes, what);
  return isJsonObject(value) && Object.hasOwn(value, 'payloadType')
    ? parseEnvelopedAttestation(bytes, what)
    : parseAttestation(bytes, what);
}

async function environmentHere(options: VerifyOptions): Promise<GateEnvironment> {
  const store = await loadTrustStore(options.trust);
  return {
    crypto: nodeCrypto,
    whitelist:
      options.whitelist === undefined ? builtInHere() : await readWhitelist(options.whitelist),
    // Whoever names a trust store means exactly that one.
    trust: options.trust === undefined ? await withOwnEnvironment(store) : store,
    policy: (await loadPolicy(options.policy)).gate,
    now: Date.now,
  };
}

async function readCompatibility(file: string | undefined): Promise<Compatibility | undefined> {
  if (file === undefined) return undefined;
  return parseCompatibility(await readDocument(file), displayText(file, 500));
}

function describe(file: string, verdict: Verdict, options: VerifyOptions): string {
  const { valid, record } = verdict;
  return [
    ...describeSteps(verdict.steps),
    ...describeReceipts(verdict, options),
    ...describeConjuncts(verdict, options),
    color.bold(valid ? color.green(`valid: ${file}`) : color.red(`refused: ${file}`)),
    describeRecord(record),
  ].join('\n');
}

/** The steps as a list: done, failed with the reason, and not reached. */
function describeSteps(steps: readonly AttestationStep[]): readonly string[] {
  const width = Math.max(...ATTESTATION_STEPS.map((code) => code.length));
  return ATTESTATION_STEPS.map((code, i) => {
    const step = steps.find((each) => each.code === code);
    const head = `${color.dim(String(i + 1))} ${code.padEnd(width)}  `;
    const hanging = ' '.repeat(width + 6);
    if (step === undefined) return `${MARK.skipped} ${head}${color.dim('not reached')}`;
    return step.ok
      ? wrap(color.dim(step.detail ?? STEP_TEXTS[code]), `${MARK.ok} ${head}`, hanging)
      : wrap(step.detail ?? '', `${MARK.fail} ${head}`, hanging);
  });
}

function describeReceipts(
  { receipts, record }: Verdict,
  { receipts: folder }: VerifyOptions,
): readonly string[] {
  if (folder === undefined) return [];
  if (receipts === undefined) return [`${MARK.skipped} receipts  ${color.dim('not looked up')}`];
  const mark = receipts.ok ? MARK.ok : MARK.fail;
  const count = `${receipts.found} of ${record.receipts.length} found`;
  return [wrap(`${mark} receipts  ${count}: ${receipts.detail}`, '', '  ')];
}

function describeConjuncts(
  { compatibility }: Verdict,
  { compatibility: file }: VerifyOptions,
): readonly string[] {
  if (file === undefined) return [];
  const heading = `compatibility with ${displayText(file, 500)}`;
  if (compatibility === undefined) {
    return [`${MARK.skipped} ${heading}  ${color.dim('not asked, for the record does not hold')}`];
  }
  const { conjuncts } = compatibility;
  const width = Math.max(...conjuncts.map(({ code }) => code.length));
  const lines = conjuncts.flatMap(({ code, ok, detail, remedy }) => {
    const hanging = ' '.repeat(width + 6);
    const answer = wrap(
      ok ? color.dim(detail) : detail,
      `  ${ok ? MARK.ok : MARK.fail} ${code.padEnd(width)}  `,
      hanging,
    );
    return remedy === undefined ? [answer] : [answer, wrap(`→ ${remedy}`, hanging, hanging)];
  });
  return [color.bold(heading), ...lines];
}

function describeRecord(record: Attestation): string {
  const { environment, executor, receipts, signer } = record;
  const { runtime, engine, build, whitelist, platform, isolation, evidence } = environment;
  const by = build.signer === null ? 'signed by nobody' : `signed by ${shortHash(build.signer)}…`;
  return labelled([
    ['executor', `${displayText(executor)}, ${plural(receipts.length, 'receipt')}`],
    ['environment', signer],
    ['runtime', `${shown(runtime)} on ${shown(engine)} (V8 ${displayText(engine.v8)})`],
    ['build', `${build.hash}, ${by}`],
    ['whitelist', `${whitelist.name}@${whitelist.version} (${shortHash(whitelist.hash)}…)`],
    [
      'platform',
      `${displayText(platform.os)} ${displayText(platform.arch)}, isolation ${isolation}`,
    ],
    ...(evidence ? ([['evidence', `${displayText(evidence.type)}, not looked at`]] as const) : []),
  ]);
}

function shown({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${displayText(name)} ${displayText(version)}`;
}
