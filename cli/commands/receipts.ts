import { basename, dirname } from 'node:path';
import { Command } from 'commander';
import { displayText, shortHash } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import type { TrustStore } from '../../engine/gate/types.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { readDocument, writeFileAtomic } from '../../engine/platform/node/files.ts';
import { isFolder } from '../../engine/platform/node/paths.ts';
import { CHAIN_SUFFIX, fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import type { ChainVerdict } from '../../engine/provenance/chain.ts';
import {
  type ProofVerdict,
  parseProof,
  proveReceipt,
  serializeProof,
  verifyProof,
} from '../../engine/provenance/proof.ts';
import { verifyStoredChain } from '../../engine/provenance/store.ts';
import { withOwnEnvironment } from '../environment-key.ts';
import { type Format, formatOption, wholeNumber } from '../options.ts';
import { color, formatBytes, MARK, message, print, printJson, wrap } from '../terminal.ts';
import { loadTrustStore } from '../workspace.ts';

/** `touchstone receipts verify|prove`. */
export function receiptsCommand(): Command {
  return new Command('receipts')
    .description('verify what runs left behind, and prove it to others')
    .addCommand(verifyCommand())
    .addCommand(proveCommand())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone receipts verify .touchstone/receipts
  $ touchstone receipts prove audit/call.jsonl --epoch 41 --out receipt-41.json
  $ touchstone receipts verify receipt-41.json`,
    );
}

interface VerifyOptions {
  readonly trust?: string;
  readonly format: Format;
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('verify chains of receipts: signatures, order, nothing missing, nothing cut off')
    .argument('<path>', 'a folder of chains, one chain (.jsonl), or a proof (.json)')
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
  if (path.endsWith('.json')) {
    await verifyProofFile(path, trust, options.format);
    return;
  }
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

async function verifyProofFile(path: string, trust: TrustStore, format: Format): Promise<void> {
  const proof = parseProof(await readDocument(path), displayText(path, 500));
  const verdict = verifyProof(nodeCrypto, proof, trust);
  if (verdict.verdict !== 'valid') process.exitCode = 1;
  if (format === 'json') printJson({ proof: verdict });
  else print(wrap(describeProof(verdict), '', '  '));
}

function describeProof({ verdict, executor, run, detail }: ProofVerdict): string {
  const name = color.bold(displayText(executor));
  return verdict === 'valid'
    ? `${MARK.ok} ${name}  ${color.green('valid')}: ${detail} ${color.dim(`(run ${run})`)}`
    : `${MARK.fail} ${name}  ${color.red(verdict)}: ${detail}`;
}

interface ProveOptions {
  readonly epoch: number;
  readonly out: string;
  readonly trust?: string;
}

function proveCommand(): Command {
  return new Command('prove')
    .description('write one receipt to a file, with all that shows who signed it')
    .argument('<path>', 'a chain (.jsonl), or a folder with one chain')
    .requiredOption('--epoch <n>', 'which receipt, counted from 0', wholeNumber(0))
    .requiredOption('--out <file>', 'where the proof goes (.json)')
    .option(
      '--trust <file>',
      "a trust store with the environments' keys (default: the workspace's, and its own key)",
    )
    .addHelpText(
      'after',
      `
Example:
  $ touchstone receipts prove .touchstone/receipts/call.jsonl --epoch 41 --out receipt-41.json

Whoever trusts the environment's key verifies the file by itself, offline:
touchstone receipts verify receipt-41.json. It shows that the run took place as
the receipt says; that nothing is missing before or after it, the chain shows.`,
    )
    .action(proveAction);
}

async function proveAction(path: string, options: ProveOptions): Promise<void> {
  if (!options.out.endsWith('.json')) {
    throw new InputError('usage', `--out: ${displayText(options.out, 500)}: a proof ends in .json`);
  }
  const store = await loadTrustStore(options.trust);
  const trust = options.trust === undefined ? await withOwnEnvironment(store) : store;
  const { folder, names } = await findChains(path);
  const chains = fileReceiptStore(nodeCrypto, folder);
  const [name, another] = names ?? (await chains.list());
  if (name === undefined || another !== undefined) {
    const found = name === undefined ? 'no chain' : 'more than one chain';
    throw new InputError(
      'usage',
      `${displayText(path, 500)} holds ${found}; name a ${CHAIN_SUFFIX}`,
    );
  }
  const proof = await proveReceipt(nodeCrypto, chains.open(name), options.epoch);
  const verdict = verifyProof(nodeCrypto, proof, trust);
  if (verdict.verdict !== 'valid') {
    process.exitCode = 1;
    print(wrap(describeProof(verdict), '', '  '));
    message('No proof is written of what does not hold.');
    return;
  }
  const bytes = serializeProof(proof);
  await writeFileAtomic(options.out, bytes, 0o644);
  print(wrap(describeProof(verdict), '', '  '));
  print(`  proof  ${displayText(options.out, 500)}, ${formatBytes(bytes.length)}`);
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
