import { Command } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { readModule } from '../../engine/platform/node/files.ts';
import { findSubject } from '../../engine/platform/node/subject.ts';
import type { TrytetVoucher } from '../../engine/voucher/trytet-voucher.ts';
import {
  VOUCHER_CHECK_CODES,
  type VoucherCheck,
  type VoucherCheckCode,
  verifyVoucher,
} from '../../engine/voucher/verify.ts';
import {
  TRYTET_CHECK_CODES,
  type TrytetCheckCode,
  verifyTrytetVoucher,
} from '../../engine/voucher/verify-trytet.ts';
import type { FuelVoucher } from '../../engine/voucher/voucher.ts';
import { ownEnvironment } from '../environment-key.ts';
import { type Format, formatOption } from '../options.ts';
import { color, labelled, MARK, print, printJson, wrap } from '../terminal.ts';
import { secondText } from '../voucher-text.ts';
import { readVoucherFile, voucherEnvironment } from '../vouchers.ts';
import { describeDeciders } from '../workspace.ts';

interface VerifyOptions {
  readonly artifact?: string;
  readonly provider?: string;
  readonly trust?: string;
  readonly policy?: string;
  readonly format: Format;
}

/** What each check establishes, for people. */
const CHECK_TEXTS: Readonly<Record<VoucherCheckCode | TrytetCheckCode, string>> = {
  expiry: 'it has not expired',
  environment: "this workspace's environment may spend it",
  artifact: 'it is for exactly this module',
  issuer: 'its issuer may grant fuel here',
  signature: 'its issuer signed it',
  spent: 'nobody spent it here yet',
  provider: 'this provider may spend it',
  'key-hex': 'its agent is named in hex',
  key: 'its agent is a usable Ed25519 key',
  'signature-format': 'its signature has 64 bytes',
  agent: 'its agent may grant fuel here',
  nonce: 'nobody spent it here yet',
};

/** What has to be there for a check that was not made. */
const MISSING: Readonly<Partial<Record<VoucherCheckCode | TrytetCheckCode, string>>> = {
  environment: 'not checked: nothing ran in this workspace yet, so it has no environment key',
  artifact: 'not checked: name the module with --artifact PATH',
  provider: 'not checked: say who you are with --provider ID',
};

/** The verdict on a voucher of either layout. */
interface Verdict {
  readonly layout: 'touchstone' | 'trytet';
  readonly codes: readonly (VoucherCheckCode | TrytetCheckCode)[];
  readonly checks: readonly VoucherCheck<VoucherCheckCode | TrytetCheckCode>[];
  /** Those that nothing was given for. */
  readonly notChecked: readonly (VoucherCheckCode | TrytetCheckCode)[];
  readonly rows: readonly (readonly [string, string])[];
}

/** `touchstone voucher verify FILE`. */
export function verifyVoucherCommand(): Command {
  return new Command('verify')
    .description('run the checks on a voucher, one by one, without spending it')
    .argument('<file>', 'a voucher')
    .option('--artifact <path>', 'the module it is to pay for: a .wasm file or a project')
    .option('--provider <id>', 'who is to spend it, for the layout of Trytet')
    .option('--trust <file>', "the trust store (default: .touchstone/trust.json, then the user's)")
    .option('--policy <file>', 'the policy (default: .touchstone/policy.json, if there is one)')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Example:
  $ touchstone voucher verify echo.voucher --artifact examples/echo

The checks are made in their order; the first that fails is the last one made.
One for which something is missing is left out, and said to be.`,
    )
    .action(async (file: string, options: VerifyOptions) => {
      const verdict = await judge(file, options);
      const valid = verdict.checks.every((check) => check.ok);
      const { layout, checks, notChecked } = verdict;
      if (options.format === 'json') printJson({ valid, layout, checks, notChecked });
      else {
        print(describe(displayText(file, 500), verdict));
        print(color.dim(describeDeciders(options)));
      }
      if (!valid) process.exitCode = 1;
    });
}

async function judge(file: string, options: VerifyOptions): Promise<Verdict> {
  const read = await readVoucherFile(file);
  return read.layout === 'touchstone'
    ? judgeOwn(read.voucher, options)
    : judgeTrytet(read.voucher, options);
}

async function judgeOwn(voucher: FuelVoucher, options: VerifyOptions): Promise<Verdict> {
  const environment = (await ownEnvironment())?.keyId;
  const artifactHash =
    options.artifact === undefined ? undefined : await hashOfModule(options.artifact);
  const checks = await verifyVoucher(await voucherEnvironment(options), voucher, {
    ...(environment !== undefined && { environment }),
    ...(artifactHash !== undefined && { artifactHash }),
  });
  return {
    layout: 'touchstone',
    codes: VOUCHER_CHECK_CODES,
    checks,
    notChecked: [
      ...(environment === undefined ? (['environment'] as const) : []),
      ...(artifactHash === undefined ? (['artifact'] as const) : []),
    ],
    rows: [
      ['fuel', voucher.fuel.toLocaleString('en-US')],
      ['artifact', voucher.artifactHash],
      ['environment', voucher.environment],
      ['expires', secondText(voucher.expiry)],
      ['issuer', voucher.issuer],
    ],
  };
}

async function judgeTrytet(voucher: TrytetVoucher, options: VerifyOptions): Promise<Verdict> {
  const { trust, ...environment } = await voucherEnvironment(options);
  const provider = options.provider ?? voucher.provider_id;
  const checks = await verifyTrytetVoucher({ ...environment, provider, agents: trust }, voucher);
  const isChecked = options.provider !== undefined;
  return {
    layout: 'trytet',
    codes: TRYTET_CHECK_CODES,
    checks: checks.filter(({ code }) => isChecked || code !== 'provider'),
    notChecked: isChecked ? [] : ['provider'],
    rows: [
      ['fuel', voucher.fuel_limit.toLocaleString('en-US')],
      ['provider', displayText(voucher.provider_id)],
      ['expires', secondText(voucher.expiry_timestamp)],
      ['agent', displayText(voucher.agent_id)],
    ],
  };
}

async function hashOfModule(path: string) {
  const { artifact } = await findSubject(path);
  return nodeCrypto.sha256(await readModule(artifact));
}

/** The checks as a list, as `verify` shows those of the gate, and what the voucher grants. */
function describe(name: string, { codes, checks, notChecked, rows }: Verdict): string {
  const width = Math.max(...codes.map((code) => code.length));
  const lines = codes.map((code, i) => {
    const check = checks.find((each) => each.code === code);
    const head = `${color.dim(String(i + 1))} ${code.padEnd(width)}`;
    if (check?.ok) return `${MARK.ok} ${head}  ${color.dim(CHECK_TEXTS[code])}`;
    if (check !== undefined) {
      return wrap(check.detail ?? '', `${MARK.fail} ${head}  `, ' '.repeat(width + 6));
    }
    const why = notChecked.includes(code) ? (MISSING[code] ?? 'not checked') : 'not reached';
    return `${MARK.skipped} ${head}  ${color.dim(why)}`;
  });
  const good = notChecked.length === 0 ? 'good' : 'good as far as it was checked';
  const verdict = checks.every((check) => check.ok)
    ? color.green(`${good}: ${name}`)
    : color.red(`refused: ${name}`);
  return [...lines, color.bold(verdict), labelled(rows)].join('\n');
}
