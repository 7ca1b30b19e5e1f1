import { unlink } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { PublicKey } from '../../engine/crypto/crypto.ts';
import {
  parsePrivateKeyPem,
  parsePublicKeyPem,
  privateKeyPem,
  publicKeyPem,
  signerFromSeed,
} from '../../engine/crypto/keys.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import {
  makeTrustStore,
  parseTrustStore,
  serializeTrustStore,
} from '../../engine/gate/trust-store.ts';
import type { KeyRole, TrustedKey } from '../../engine/gate/types.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import {
  createFile,
  readTextFile,
  readTextFileIfPresent,
  writeFileAtomic,
} from '../../engine/platform/node/files.ts';
import { type Format, formatOption } from '../options.ts';
import { labelled, MARK, print, printJson } from '../terminal.ts';

const ROLES: readonly KeyRole[] = [
  'certifier',
  'publisher',
  'environment',
  'whitelist-authority',
  'voucher-issuer',
  'builder',
];

/** `touchstone keys generate|show|trust`. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('make, show and trust Ed25519 keys (PEM files that openssl reads)')
    .addCommand(generateCommand())
    .addCommand(showCommand())
    .addCommand(trustCommand())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone keys generate --out certifier.pem
  $ touchstone keys show certifier.pem.pub
  $ touchstone keys trust certifier.pem.pub --trust .touchstone/trust.json`,
    );
}

function generateCommand(): Command {
  return new Command('generate')
    .description('make a key pair: FILE (private, mode 0600) and FILE.pub')
    .requiredOption('--out <file>', 'where to write the private key; never overwrites')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Example:
  $ touchstone keys generate --out certifier.pem
  $ touchstone keys trust certifier.pem.pub --trust .touchstone/trust.json`,
    )
    .action(async ({ out, format }: { out: string; format: Format }) => {
      const seed = nodeCrypto.randomBytes(32);
      const { publicKey } = signerFromSeed(nodeCrypto, seed);
      await createFile(out, privateKeyPem(seed), 0o600);
      try {
        await createFile(`${out}.pub`, publicKeyPem(publicKey), 0o644);
      } catch (error) {
        await unlink(out); // half a pair would only stand in the way of the next attempt
        throw error;
      }
      if (format === 'json') {
        printJson({ keyId: publicKey.keyId, privateKey: out, publicKey: `${out}.pub` });
        return;
      }
      print(`${MARK.ok} key ${publicKey.keyId}`);
      const path = displayText(out, 500);
      print(
        labelled([
          ['private', `${path}, mode 0600; keep it to yourself`],
          ['public', `${path}.pub`],
        ]),
      );
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('show the id of a private or public key, never its secret')
    .argument('<file>', 'a PEM key file')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Example:
  $ touchstone keys show certifier.pem.pub`,
    )
    .action(async (file: string, { format }: { format: Format }) => {
      const { key, kind } = await readEitherKey(file);
      if (format === 'json') printJson({ keyId: key.keyId, kind });
      else print(`${key.keyId}  ${kind} key`);
    });
}

interface TrustOptions {
  readonly trust: string;
  readonly as: KeyRole;
  readonly label?: string;
  readonly validUntil?: number;
  readonly format: Format;
}

function trustCommand(): Command {
  return new Command('trust')
    .description('add a public key to a trust store, for one role')
    .argument('<file>', 'the public key: a PEM file, usually FILE.pub')
    .requiredOption('--trust <file>', 'the trust store; made if it is not there')
    .addOption(
      new Option('--as <role>', 'what the key is trusted for').choices(ROLES).default('certifier'),
    )
    .option('--label <text>', 'what people call the key')
    .option('--valid-until <date>', 'the last day on which the key counts, UTC', parseDay)
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Example:
  $ touchstone keys trust alice.pem.pub --trust .touchstone/trust.json --label Alice`,
    )
    .action(async (file: string, options: TrustOptions) => {
      const key = parsePublicKeyPem(nodeCrypto, await readTextFile(file), displayText(file, 500));
      const { added, count } = await addToTrustStore(key, options);
      if (options.format === 'json') {
        printJson({ keyId: key.keyId, role: options.as, trust: options.trust, added, keys: count });
        return;
      }
      const store = displayText(options.trust, 500);
      print(
        added
          ? `${MARK.ok} ${store} now trusts this key as ${options.as}`
          : `${MARK.ok} ${store} trusted this key as ${options.as} already`,
      );
      print(`  ${key.keyId}`);
    });
}

async function addToTrustStore(key: PublicKey, options: TrustOptions) {
  const text = await readTextFileIfPresent(options.trust);
  const store =
    text === undefined
      ? makeTrustStore([])
      : parseTrustStore(nodeCrypto, text, displayText(options.trust, 500));
  const known = store.find(key.keyId, options.as);
  if (known?.revoked !== undefined) {
    throw new InputError(
      'usage',
      `${displayText(options.trust, 500)} revokes this key as ${options.as}; take the entry out by hand if that is meant`,
    );
  }
  if (known !== undefined) return { added: false, count: store.keys.length };
  const trusted: TrustedKey = {
    key,
    role: options.as,
    ...(options.label !== undefined && { label: options.label }),
    ...(options.validUntil !== undefined && { validUntil: options.validUntil }),
  };
  const next = makeTrustStore([...store.keys, trusted]);
  await writeFileAtomic(options.trust, serializeTrustStore(next));
  return { added: true, count: next.keys.length };
}

async function readEitherKey(
  file: string,
): Promise<{ key: PublicKey; kind: 'public' | 'private' }> {
  const text = await readTextFile(file);
  const what = displayText(file, 500);
  return text.includes('-----BEGIN PUBLIC KEY-----')
    ? { key: parsePublicKeyPem(nodeCrypto, text, what), kind: 'public' }
    : { key: parsePrivateKeyPem(nodeCrypto, text, what).publicKey, kind: 'private' };
}

/** The end of a UTC day, in milliseconds since the Unix epoch. */
function parseDay(text: string): number {
  const start = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes the 31st of a shorter month for a day of the next.
  if (Number.isNaN(start) || !new Date(start).toISOString().startsWith(text)) {
    throw new InputError(
      'usage',
      `--valid-until: "${displayText(text)}" is not a day such as 2027-12-31`,
    );
  }
  return start + 86_400_000;
}
