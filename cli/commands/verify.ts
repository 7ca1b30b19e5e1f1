import { Command } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { createGate } from '../../engine/gate/admit.ts';
import { CHECK_CODES, type CheckCode, type CheckResult } from '../../engine/gate/types.ts';
import { readDocument, readModule } from '../../engine/platform/node/files.ts';
import { CERTIFICATE_SUFFIX } from '../certificates.ts';
import { type Format, formatOption } from '../options.ts';
import { findSubject } from '../subject.ts';
import { color, MARK, print, printJson } from '../terminal.ts';
import { gateEnvironment } from '../workspace.ts';

interface VerifyOptions {
  readonly trust?: string;
  readonly policy?: string;
  readonly certificate?: string;
  readonly whitelist?: string;
  readonly format: Format;
}

/** What each check establishes, for people. */
const CHECK_TEXTS: Readonly<Record<CheckCode, string>> = {
  signature: 'a trusted certifier signed the certificate',
  'artifact-binding': 'it is about exactly these bytes',
  'proof-binding': 'its proof is the one that was signed',
  'proof-validation': 'the imports in the bytes are those of the proof',
  classification: 'each import classifies the same today',
  conclusion: 'every import is pure or a directive constructor',
  currency: 'the whitelist is current, and the one loaded here',
  policy: 'publisher and revocation are as the policy asks',
};

/** `touchstone verify PATH`. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description("run the gate's checks on an executor and its certificate, one by one")
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one')
    .option('--certificate <file>', `the certificate (default: <artifact>${CERTIFICATE_SUFFIX})`)
    .option('--trust <file>', "the trust store (default: .touchstone/trust.json, then the user's)")
    .option('--policy <file>', 'the policy (default: .touchstone/policy.json, if there is one)')
    .option('--whitelist <reference>', 'NAME@VERSION or a file (default: mashin@1)')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone verify examples/call
  $ touchstone verify plan.wasm --certificate plan.purity.json --trust certifiers.json`,
    )
    .action(async (path: string, options: VerifyOptions) => {
      const subject = await findSubject(path);
      const environment = await gateEnvironment(subject, options);
      const certificate = options.certificate ?? subject.artifact + CERTIFICATE_SUFFIX;
      const checks = createGate(environment).verify(
        await readModule(subject.artifact),
        await readDocument(certificate),
        displayText(certificate, 500),
      );
      const admitted = checks.every((check) => check.ok);
      if (options.format === 'json') printJson({ admitted, checks });
      else print(describeChecks(subject.artifact, checks));
      if (!admitted) process.exitCode = 1;
    });
}

/** The gate's checks as a list: done, failed with the reason, and not reached. */
export function describeChecks(artifact: string, checks: readonly CheckResult[]): string {
  const lines = CHECK_CODES.map((code, i) => {
    const check = checks.find((each) => each.code === code);
    const number = color.dim(String(i + 1));
    if (check === undefined)
      return `${MARK.skipped} ${number} ${color.dim(`${code.padEnd(17)} not reached`)}`;
    if (check.ok) return `${MARK.ok} ${number} ${code.padEnd(17)} ${color.dim(CHECK_TEXTS[code])}`;
    return `${MARK.fail} ${number} ${code.padEnd(17)} ${check.detail ?? ''}`;
  });
  const admitted = checks.every((check) => check.ok);
  const name = displayText(artifact, 500);
  lines.push(
    admitted
      ? color.bold(color.green(`admitted: ${name}`))
      : color.bold(color.red(`refused: ${name}`)),
  );
  return lines.join('\n');
}
