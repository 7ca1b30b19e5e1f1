import { Command } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { CHECK_CODES, type CheckCode, type CheckResult } from '../../engine/gate/types.ts';
import { verifySubject } from '../../engine/platform/node/admission.ts';
import { findSubject } from '../../engine/platform/node/subject.ts';
import { certifyRemedy } from '../execution.ts';
import { addGateOptions, type Format, formatOption, type GateOptions } from '../options.ts';
import { color, MARK, print, printJson, wrap } from '../terminal.ts';
import { describeDeciders, gateEnvironment } from '../workspace.ts';

interface VerifyOptions extends GateOptions {
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
  const command = new Command('verify')
    .description("run the gate's checks on an executor and its certificate, one by one")
    .argument('<path>', 'a .wasm file, an executor.json, or the folder that holds one');
  return addGateOptions(command)
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone verify examples/call
  $ touchstone verify plan.wasm --certificate plan.purity.json

The checks are made in their order; the first that fails is the last one made.`,
    )
    .action(async (path: string, options: VerifyOptions) => {
      const subject = await findSubject(path);
      const environment = await gateEnvironment(subject, options);
      const checks = await verifySubject(subject, environment, {
        certificate: options.certificate,
        remedy: certifyRemedy(subject),
      });
      const admitted = checks.every((check) => check.ok);
      if (options.format === 'json') printJson({ admitted, checks });
      else {
        print(describeChecks(subject.artifact, checks));
        print(color.dim(describeDeciders(options, environment.whitelist)));
      }
      if (!admitted) process.exitCode = 1;
    });
}

/** The gate's checks as a list: done, failed with the reason, and not reached. */
function describeChecks(artifact: string, checks: readonly CheckResult[]): string {
  const lines = CHECK_CODES.map((code, i) => {
    const check = checks.find((each) => each.code === code);
    const head = `${color.dim(String(i + 1))} ${code.padEnd(16)}`;
    if (check === undefined) return `${MARK.skipped} ${head}  ${color.dim('not reached')}`;
    if (check.ok) return `${MARK.ok} ${head}  ${color.dim(CHECK_TEXTS[code])}`;
    return wrap(check.detail ?? '', `${MARK.fail} ${head}  `, ' '.repeat(22));
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
