import { basename, dirname } from 'node:path';
import { Command } from 'commander';
import { displayText, shortHash } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { CHAIN_SUFFIX, fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import type { ChainVerdict } from '../../engine/provenance/chain.ts';
import { verifyStoredChain } from '../../engine/provenance/store.ts';
import { withOwnEnvironment } from '../environment-key.ts';
import { type Format, formatOption } from '../options.ts';
import { isFolder } from '../paths.ts';
import { color, MARK, print, printJson, wrap } from '../terminal.ts';
import { loadTrustStore } from '../workspace.ts';

/** `touchstone receipts verify`. */
export function receiptsCommand(): Command {
  return new Command('receipts')
    .description('verify what runs left behind')
    .addCommand(verifyCommand())
    .addHelpText(
      'after',
      `
Example:
  $ touchstone receipts verify .touchstone/receipts`,
    );
}

interface VerifyOptions {
  readonly trust?: string;
  readonly format: Format;
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('verify chains of receipts: signatures, order, nothing missing, nothing cut off')
    .argument('<path>', 'a folder of chains, or one chain (.jsonl)')
    .option(
      '--trust <file>',
      "a trust store with the environments' keys (default: the workspace's, and its own key)",
    )
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone receipts verify .touchstone/receipts
  $ touchstone receipts verify audit/call.jsonl --trust environments.json`,
    )
    .action(verifyAction);
}

async function verifyAction(path: string, options: VerifyOptions): Promise<void> {
  const store = await loadTrustStore(options.trust);
  // Whoever names a trust store means exactly that one.
  const trust = options.trust === undefined ? await withOwnEnvironment(store) : store;
  const { folder, names } = await findChains(path);
  const chains = fileReceiptStore(nodeCrypto, folder);
  const verdicts: { readonly chain: string; readonly verdict: ChainVerdict }[] = [];
  for (const name of names ?? (await chains.list())) {
    verdicts.push({
      chain: name,
      verdict: await verifyStoredChain(nodeCrypto, chains.open(name), trust),
    });
  }
  if (options.format === 'json') {
    printJson({ chains: verdicts.map(({ chain, verdict }) => ({ chain, ...verdict })) });
  } else if (verdicts.length === 0) {
    print(`${MARK.info} empty: there are no receipts in ${displayText(path, 500)}`);
  } else {
    for (const { chain, verdict } of verdicts) {
      print(wrap(describeVerdict(chain, verdict), '', '  '));
    }
  }
  if (verdicts.some(({ verdict }) => !isSound(verdict))) process.exitCode = 1;
}

function isSound({ verdict }: ChainVerdict): boolean {
  return verdict === 'valid' || verdict === 'empty';
}

function describeVerdict(chain: string, verdict: ChainVerdict): string {
  const name = color.bold(displayText(chain));
  if (verdict.verdict === 'valid') {
    return `${MARK.ok} ${name}  ${color.green('valid')}: ${verdict.detail} ${color.dim(`(tip ${shortHash(verdict.tip.hash)}…)`)}`;
  }
  if (verdict.verdict === 'empty') return `${MARK.info} ${name}  empty: ${verdict.detail}`;
  return `${MARK.fail} ${name}  ${color.red(verdict.verdict)}: ${verdict.detail}`;
}

async function findChains(
  path: string,
): Promise<{ readonly folder: string; readonly names: readonly string[] | undefined }> {
  if (await isFolder(path)) return { folder: path, names: undefined };
  if (!path.endsWith(CHAIN_SUFFIX)) {
    throw new InputError(
      'usage',
      `${displayText(path, 500)}: a chain of receipts ends in ${CHAIN_SUFFIX}`,
    );
  }
  return { folder: dirname(path), names: [basename(path, CHAIN_SUFFIX)] };
}
