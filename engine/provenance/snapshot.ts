// Snapshots (`snapshot/1`): what a stateful executor keeps between two runs, with the place in its chain
// of receipts that it belongs to, signed by the environment. A header in canonical JSON, a newline, and
// the bytes of the state.

import { z } from 'zod';
import { type Crypto, isKeyId, isSha256, type Sha256, type Signer } from '../crypto/crypto.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalJson, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import type { AdmittedExecutor } from '../gate/admit.ts';
import type { TrustStore } from '../gate/types.ts';
import { FUEL_SCHEDULE } from '../metering/costs.ts';
import { MEMORY_PROFILES, type MemoryProfile, PROFILE_PAGES } from '../runtime/profiles.ts';
import { MAX_STATE_BYTES, readState } from '../runtime/state.ts';
import type { RunLimits } from '../runtime/types.ts';
import { signatureProblem } from './environment.ts';
import { signVerified } from './sign.ts';
import type { ChainTip } from './types.ts';

export const SNAPSHOT_FORMAT = 'snapshot/1';

/** Comes before what is signed of a snapshot. */
const SNAPSHOT_TAG = 'touchstone/snapshot/1\n';

/** A header larger than this, in bytes, is neither written nor read. */
const MAX_HEADER_BYTES = 4_096;

/** A snapshot larger than this, in bytes, is neither written nor read. */
export const MAX_SNAPSHOT_BYTES = MAX_STATE_BYTES + MAX_HEADER_BYTES + 1;

const NEWLINE = 0x0a;

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');
const natural = z.int().min(0);

/** The schema of a snapshot's header: exactly its fields. */
export const snapshotSchema = z.strictObject({
  format: z.literal(SNAPSHOT_FORMAT),
  /** `name@version`. */
  executor: z.string().max(200),
  artifactHash: sha256,
  whitelistHash: sha256,
  /** The table of costs that the executor was metered by. */
  schedule: z.string().max(64),
  memoryProfile: z.enum(MEMORY_PROFILES).nullable(),
  /** Pages of 64 KiB that the memory has. */
  memoryPages: natural.max(65_536),
  /** The receipt of the run that left the state: what the next one follows. */
  chain: z.strictObject({ epoch: natural, hash: sha256 }),
  /** SHA-256 and length of the state's bytes. */
  stateHash: sha256,
  stateBytes: natural.max(MAX_STATE_BYTES),
  signer: z.string().refine(isKeyId, 'not a key id'),
  signature: z.string().length(88),
});

/** What a snapshot says of the state that it holds. */
export type SnapshotHeader = z.infer<typeof snapshotSchema>;

/** A snapshot that was parsed, and not yet verified. */
export interface Snapshot {
  readonly header: SnapshotHeader;
  /** Lies in the bytes that were parsed. */
  readonly state: Uint8Array;
}

/** What a snapshot says of a run. */
export interface SnapshotFacts {
  /** `name@version`. */
  readonly executor: string;
  readonly admitted: Pick<AdmittedExecutor, 'artifactHash' | 'whitelistHash'>;
  readonly memoryProfile: MemoryProfile | undefined;
  /** The run's receipt. */
  readonly tip: ChainTip;
  /** As `captureState` saves it. */
  readonly state: Uint8Array;
}

/**
 * The bytes of a snapshot, signed by the environment over `touchstone/snapshot/1\n` ‖ RFC 8785 of the
 * header without `signature`.
 * @throws {InputError} `invalid-snapshot` for bytes that are no state; `invalid-key` for a signature
 *   that does not verify; whatever the signer throws.
 */
export async function writeSnapshot(
  crypto: Crypto,
  { executor, admitted, memoryProfile, tip, state }: SnapshotFacts,
  signer: Signer,
): Promise<Uint8Array> {
  const header: Omit<SnapshotHeader, 'signature'> = {
    format: SNAPSHOT_FORMAT,
    executor,
    artifactHash: admitted.artifactHash,
    whitelistHash: admitted.whitelistHash,
    schedule: FUEL_SCHEDULE,
    memoryProfile: memoryProfile ?? null,
    memoryPages: readState(state).pages,
    chain: { epoch: tip.epoch, hash: tip.hash },
    stateHash: crypto.sha256(state),
    stateBytes: state.length,
    signer: signer.publicKey.keyId,
  };
  const signature = await signVerified(crypto, signer, snapshotMessage(header));
  const line = encodeUtf8(canonicalJson({ ...header, signature: encodeBase64(signature) }));
  const bytes = new Uint8Array(line.length + 1 + state.length);
  bytes.set(line);
  bytes[line.length] = NEWLINE;
  bytes.set(state, line.length + 1);
  return bytes;
}

function snapshotMessage(header: Omit<SnapshotHeader, 'signature'>): Uint8Array {
  return encodeUtf8(SNAPSHOT_TAG + canonicalJson(header));
}

/**
 * Parses a snapshot: exactly the header's fields in canonical form, and exactly as many bytes of state
 * as it says. Nothing is verified here.
 * @param what names the snapshot in the message.
 * @throws {InputError} `invalid-snapshot`, `too-large`, `invalid-json` or `invalid-utf8`.
 */
export function parseSnapshot(bytes: Uint8Array, what: string): Snapshot {
  if (bytes.length > MAX_SNAPSHOT_BYTES) {
    throw new InputError(
      'too-large',
      `${what} has ${bytes.length} bytes; a snapshot has at most ${MAX_SNAPSHOT_BYTES}`,
    );
  }
  const end = bytes.subarray(0, MAX_HEADER_BYTES + 1).indexOf(NEWLINE);
  if (end < 0) throw invalid(what, 'its header does not end');
  const text = decodeUtf8(bytes.subarray(0, end), what);
  const parsed = snapshotSchema.safeParse(parseJson(text, what));
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  const header = parsed.data;
  if (canonicalJson(header) !== text) throw invalid(what, 'it is not in canonical form (RFC 8785)');
  const state = bytes.subarray(end + 1);
  if (state.length !== header.stateBytes) {
    throw invalid(
      what,
      `it has ${state.length} bytes of state; its header says ${header.stateBytes}`,
    );
  }
  return { header, state };
}

/** What a snapshot must be of to be restored. */
export interface SnapshotEnvironment {
  /** Holds the environments' keys, in the role `environment`. */
  readonly trust: TrustStore;
  /** `name@version`. */
  readonly executor: string;
  readonly admitted: Pick<AdmittedExecutor, 'artifactHash'>;
  readonly memoryProfile: MemoryProfile | undefined;
  readonly limits: Pick<RunLimits, 'memoryPages'>;
  /** The end of the executor's chain: the receipt that the next one follows. */
  readonly tip: ChainTip | undefined;
}

/** A state that is good to begin with. */
export interface VerifiedState {
  readonly state: Uint8Array;
  readonly hash: Sha256;
}

/**
 * Verifies that a snapshot is a trusted environment's, of this executor under this metering and
 * profile, within the limits, unchanged, and what the last run of the chain left.
 * @throws {InputError} `invalid-snapshot`, saying what was found, what was expected, and what to do.
 */
export function verifySnapshot(
  crypto: Crypto,
  { header, state }: Snapshot,
  what: string,
  { trust, executor, admitted, memoryProfile, limits, tip }: SnapshotEnvironment,
): VerifiedState {
  const { signature: _, ...unsigned } = header;
  const problem = signatureProblem(crypto, trust, header, snapshotMessage(unsigned));
  if (problem !== undefined) throw refused(what, problem);
  if (header.artifactHash !== admitted.artifactHash) {
    throw refused(
      what,
      `it is of the module ${shortHash(header.artifactHash)}…, this one is ${shortHash(admitted.artifactHash)}…; begin afresh with another file`,
    );
  }
  if (header.executor !== executor) {
    throw refused(
      what,
      `it is of ${displayText(header.executor)}, not of ${displayText(executor)}`,
    );
  }
  if (header.schedule !== FUEL_SCHEDULE) {
    throw refused(
      what,
      `it was metered by ${displayText(header.schedule)}, not by ${FUEL_SCHEDULE}`,
    );
  }
  if (header.memoryProfile !== (memoryProfile ?? null)) {
    throw refused(
      what,
      `it was saved with the memory profile ${header.memoryProfile ?? 'none'}, this run has ${memoryProfile ?? 'none'}`,
    );
  }
  const most = memoryProfile === undefined ? limits.memoryPages : PROFILE_PAGES[memoryProfile];
  if (header.memoryPages > most) {
    throw refused(what, `it has ${header.memoryPages} pages of memory; ${most} are allowed`);
  }
  if (crypto.sha256(state) !== header.stateHash) throw refused(what, 'its state was changed');
  if (readState(state).pages !== header.memoryPages) {
    throw refused(what, 'its state has another number of pages than its header');
  }
  checkTip(what, header.chain, tip);
  return { state, hash: header.stateHash };
}

/** An older state on a chain that has gone on would be a fork of it. */
function checkTip(what: string, chain: SnapshotHeader['chain'], tip: ChainTip | undefined): void {
  if (tip !== undefined && tip.epoch === chain.epoch && tip.hash === chain.hash) return;
  const found =
    tip === undefined
      ? 'there are none here'
      : `the chain here ends with receipt ${tip.epoch} (${shortHash(tip.hash)}…)`;
  throw refused(
    what,
    `it continues the chain after receipt ${chain.epoch} (${shortHash(chain.hash)}…), and ${found}; use the receipts and the snapshot that belong together, or begin afresh with another file`,
  );
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-snapshot', `${what} is not a snapshot: ${problem}`);
}

function refused(what: string, problem: string): InputError {
  return new InputError('invalid-snapshot', `${what} is not restored: ${problem}`);
}
