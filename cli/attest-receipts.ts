import { MAX_ATTESTED_RECEIPTS } from '../engine/attestation/record.ts';
import type { Attestation } from '../engine/attestation/types.ts';
import type { Sha256 } from '../engine/crypto/crypto.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import type { TrustStore } from '../engine/gate/types.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../engine/platform/node/receipt-store.ts';
import { serializeReceipt } from '../engine/provenance/receipt.ts';
import { isChainName, type ReceiptChain, verifyStoredChain } from '../engine/provenance/store.ts';
import type { Receipt } from '../engine/provenance/types.ts';

/** Which receipts of a chain are attested; without any of these the last one. */
export interface ReceiptSelection {
  readonly run?: string;
  readonly epoch?: number;
  readonly last?: number;
  readonly all?: true;
}

/** What receipts must be of, to be attested together. */
export type ReceiptSubject = Pick<
  Receipt,
  'executor' | 'artifactHash' | 'certificateHash' | 'whitelistHash' | 'signer'
>;

/**
 * The receipts of a chain that are asked for, once the whole chain has verified; or why they are not to
 * be attested, for a person.
 * @throws {InputError} `usage` where the chain has no such receipts or too many; `unreadable`.
 */
export async function selectReceipts(
  chain: ReceiptChain,
  trust: TrustStore,
  selection: ReceiptSelection,
  subject: ReceiptSubject,
): Promise<readonly Sha256[] | string> {
  const { run, epoch } = selection;
  const isAsked = (receipt: Receipt) =>
    (run === undefined || receipt.run === run) && (epoch === undefined || receipt.epoch === epoch);
  const isWindow = run === undefined && epoch === undefined && selection.all === undefined;
  const most = isWindow ? (selection.last ?? 1) : MAX_ATTESTED_RECEIPTS + 1;
  const selected: Receipt[] = [];
  const verdict = await verifyStoredChain(nodeCrypto, chain, trust, (receipt) => {
    if (!isAsked(receipt)) return;
    if (selected.length === most && isWindow) selected.shift();
    if (selected.length < most) selected.push(receipt);
  });
  if (verdict.verdict !== 'valid' && verdict.verdict !== 'empty') {
    return `the chain ${chain.name} does not hold: ${verdict.verdict}: ${verdict.detail}`;
  }
  if (selected.length === 0) {
    throw new InputError(
      'usage',
      `there is no such receipt of ${displayText(subject.executor)}: its chain has ${verdict.holds}`,
    );
  }
  if (selected.length > MAX_ATTESTED_RECEIPTS) {
    throw new InputError(
      'usage',
      `a record names at most ${MAX_ATTESTED_RECEIPTS} receipts; ask for fewer with --last`,
    );
  }
  for (const receipt of selected) {
    const problem = strange(receipt, subject);
    if (problem !== undefined) return `receipt ${receipt.epoch} ${problem}`;
  }
  return selected.map(hashOf);
}

/** What became of the receipts that a record names, in a folder of chains. */
export interface ReceiptsLookup {
  readonly ok: boolean;
  readonly chain: string;
  /** How many of those that are named stand in the chain. */
  readonly found: number;
  readonly detail: string;
}

/**
 * Looks up the receipts that a record names in the chain of its executor, and verifies the chain.
 * @throws {InputError} `unreadable`.
 */
export async function lookUpReceipts(
  folder: string,
  attestation: Attestation,
  trust: TrustStore,
): Promise<ReceiptsLookup> {
  const { executor, receipts, certificate, signer } = attestation;
  const name = executor.slice(0, Math.max(0, executor.lastIndexOf('@')));
  const chain = displayText(name);
  const lookup = (ok: boolean, found: number, detail: string) => ({ ok, chain, found, detail });
  if (!isChainName(name)) return lookup(false, 0, 'no chain can have the name of its executor');
  const named = new Set(receipts);
  const found: Sha256[] = [];
  const strangers: string[] = [];
  const stored = fileReceiptStore(nodeCrypto, folder).open(name);
  const verdict = await verifyStoredChain(nodeCrypto, stored, trust, (receipt) => {
    const hash = hashOf(receipt);
    if (!named.has(hash)) return;
    found.push(hash);
    const problem = strange(receipt, { executor, artifactHash: certificate.artifactHash, signer });
    if (problem !== undefined) strangers.push(`receipt ${receipt.epoch} ${problem}`);
  });
  const [stranger] = strangers;
  if (verdict.verdict !== 'valid' && verdict.verdict !== 'empty') {
    return lookup(false, found.length, `${verdict.verdict}: ${verdict.detail}`);
  }
  const missing = receipts.find((hash) => !found.includes(hash));
  if (missing !== undefined) {
    return lookup(false, found.length, `receipt ${shortHash(missing)}… is not in the chain`);
  }
  if (found.some((hash, i) => hash !== receipts[i]) || found.length !== receipts.length) {
    return lookup(false, found.length, 'the chain has them in another order');
  }
  if (stranger !== undefined) return lookup(false, found.length, stranger);
  return lookup(true, found.length, `they stand in its chain, and ${verdict.detail}`);
}

/** What a receipt is of that it should not be of, after its name. */
function strange(receipt: Receipt, subject: Partial<ReceiptSubject>): string | undefined {
  const { executor, artifactHash, certificateHash, whitelistHash, signer } = subject;
  if (artifactHash !== undefined && receipt.artifactHash !== artifactHash) {
    return `is of another module (${shortHash(receipt.artifactHash)}…) than this one (${shortHash(artifactHash)}…)`;
  }
  if (executor !== undefined && receipt.executor !== executor) {
    return `is of ${displayText(receipt.executor)}, not of ${displayText(executor)}`;
  }
  if (certificateHash !== undefined && receipt.certificateHash !== certificateHash) {
    return receipt.certificateHash === null
      ? `is of a run of tier ${receipt.tier}, without a certificate`
      : `is of a run under another certificate (${shortHash(receipt.certificateHash)}…)`;
  }
  if (whitelistHash !== undefined && receipt.whitelistHash !== whitelistHash) {
    return `is of a run under another whitelist (${shortHash(receipt.whitelistHash)}…)`;
  }
  if (signer !== undefined && receipt.signer !== signer) {
    return `is signed by another environment (${shortHash(receipt.signer)}…)`;
  }
  return undefined;
}

function hashOf(receipt: Receipt): Sha256 {
  return nodeCrypto.sha256(serializeReceipt(receipt));
}
