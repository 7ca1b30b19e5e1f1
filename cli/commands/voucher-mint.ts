import { Command, InvalidArgumentError, Option } from 'commander';
import { isKeyId, type KeyId, type Signer } from '../../engine/crypto/crypto.ts';
import { parsePrivateKeyPem, parsePublicKeyPem } from '../../engine/crypto/keys.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { createFile, readModule, readTextFile } from '../../engine/platform/node/files.ts';
import { findSubject, inspectNamed } from '../../engine/platform/node/subject.ts';
import { mintTrytetVoucher, serializeTrytetVoucher } from '../../engine/voucher/trytet-voucher.ts';
import { MAX_EXPIRY, mintVoucher, serializeVoucher } from '../../engine/voucher/voucher.ts';
import { type Format, formatOption, wholeNumber } from '../options.ts';
import { labelled, MARK, print, printJson } from '../terminal.ts';
import { secondText } from '../voucher-text.ts';

interface MintOptions {
  readonly artifact?: string;
  readonly environment?: string;
  readonly fuel: number;
  /** Seconds since the Unix epoch. */
  readonly expires: number;
  readonly key: string;
  readonly out: string;
  readonly layout: 'touchstone' | 'trytet';
  readonly provider?: string;
  readonly format: Format;
}

/** A minted voucher: the file's contents, and what it grants for people. */
interface Minted {
  readonly file: Uint8Array | string;
  readonly rows: readonly (readonly [string, string])[];
}

/** `touchstone voucher mint`. */
export function mintVoucherCommand(): Command {
  return new Command('mint')
    .description('sign a voucher')
    .option('--artifact <path>', 'the module it is for: a .wasm file or a project')
    .option('--environment <key>', 'the environment that may spend it: its key id or FILE.pub')
    .requiredOption('--fuel <units>', 'how much fuel it grants', wholeNumber(1))
    .requiredOption(
      '--expires <when>',
      '90s, 15m, 24h, 7d from now, or an RFC 3339 time',
      parseExpiry,
    )
    .requiredOption('--key <file>', "the issuer's private key")
    .requiredOption('--out <file>', 'where to write it; never overwrites')
    .addOption(
      new Option('--layout <layout>', "our own, or Trytet's, which names no module")
        .choices(['touchstone', 'trytet'])
        .default('touchstone'),
    )
    .option('--provider <id>', 'who may spend it, for the layout of Trytet')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone voucher mint --artifact examples/echo --fuel 1000000 \\
      --environment .touchstone/environment.pem.pub --expires 24h \\
      --key payer.pem --out echo.voucher
  $ touchstone voucher mint --layout trytet --provider local_daemon \\
      --fuel 1000000 --expires 2027-12-31T23:59:59Z --key agent.pem --out v.json`,
    )
    .action(async (options: MintOptions) => {
      const signer = parsePrivateKeyPem(
        nodeCrypto,
        await readTextFile(options.key),
        displayText(options.key, 500),
      );
      const { file, rows } = await (options.layout === 'trytet' ? mintTrytet : mintOwn)(
        signer,
        options,
      );
      await createFile(options.out, file, 0o600);
      if (options.format === 'json') {
        const { out, layout, fuel } = options;
        printJson({ out, layout, fuel, ...Object.fromEntries(rows) });
        return;
      }
      const units = options.fuel.toLocaleString('en-US');
      print(`${MARK.ok} ${displayText(options.out, 500)} grants ${units} units of fuel, once`);
      print(labelled(rows.map(([label, value]) => [label, displayText(value, 500)])));
    });
}

async function mintOwn(signer: Signer, options: MintOptions): Promise<Minted> {
  refuseOption('--provider', options.provider, 'the layout of Trytet only');
  const named = requireOption('--artifact', options.artifact, 'the module the fuel is for');
  const where = requireOption('--environment', options.environment, 'who may spend it');
  const { artifact } = await findSubject(named);
  const voucher = await mintVoucher(nodeCrypto, signer, {
    artifactHash: inspectNamed(artifact, await readModule(artifact)).sha256,
    environment: await readKeyId(where),
    fuel: options.fuel,
    expiry: options.expires,
  });
  return {
    file: serializeVoucher(voucher),
    rows: [
      ['artifact', voucher.artifactHash],
      ['environment', voucher.environment],
      ['expires', secondText(voucher.expiry)],
      ['issuer', voucher.issuer],
      ['nonce', voucher.nonce],
    ],
  };
}

async function mintTrytet(signer: Signer, options: MintOptions): Promise<Minted> {
  const none = 'a Trytet voucher, which names neither module nor environment';
  refuseOption('--artifact', options.artifact, `our own layout, not for ${none}`);
  refuseOption('--environment', options.environment, `our own layout, not for ${none}`);
  const provider = requireOption('--provider', options.provider, 'who may spend it');
  const voucher = await mintTrytetVoucher(nodeCrypto, signer, {
    provider_id: provider,
    fuel_limit: BigInt(options.fuel),
    expiry_timestamp: BigInt(options.expires),
  });
  return {
    file: serializeTrytetVoucher(voucher),
    rows: [
      ['provider', voucher.provider_id],
      ['expires', secondText(options.expires)],
      ['agent', voucher.agent_id],
      ['issuer', signer.publicKey.keyId],
      ['nonce', voucher.nonce],
    ],
  };
}

/** A key id as it is written, or of the public key in a file. */
async function readKeyId(named: string): Promise<KeyId> {
  if (isKeyId(named)) return named;
  return parsePublicKeyPem(nodeCrypto, await readTextFile(named), displayText(named, 500)).keyId;
}

function requireOption(name: string, value: string | undefined, what: string): string {
  if (value !== undefined) return value;
  throw new InputError('usage', `${name} is missing: it says ${what}`);
}

function refuseOption(name: string, value: string | undefined, where: string): void {
  if (value !== undefined) throw new InputError('usage', `${name} is for ${where}; leave it out`);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Seconds since the Unix epoch of a time, or of a duration from now. */
function parseExpiry(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const now = Math.floor(Date.now() / 1000);
  const expiry =
    count === undefined ? secondsOf(text) : now + Number(count) * (SECONDS[unit] ?? Number.NaN);
  if (Number.isNaN(expiry)) {
    throw new InvalidArgumentError('expected 90s, 15m, 24h, 7d or a time as 2027-01-31T12:00:00Z');
  }
  if (expiry <= now) throw new InvalidArgumentError('that is not in the future');
  if (expiry > MAX_EXPIRY) throw new InvalidArgumentError('that is beyond the year 9999');
  return expiry;
}

/** NaN for what is no time; a fraction of a second is cut off. */
function secondsOf(text: string): number {
  const day = TIME.exec(text)?.[1];
  // Date.parse takes the 31st of a shorter month for a day of the next.
  if (day === undefined || !isDay(day)) return Number.NaN;
  return Math.floor(Date.parse(text) / 1000);
}

function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}
