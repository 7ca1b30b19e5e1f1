import type { KeyId } from '../crypto/crypto.ts';
import type { TrustStore } from '../gate/types.ts';
import type { JudgedAttestation } from './attestations.ts';
import type { Calls } from './calls.ts';
import type { Certificates } from './certificates.ts';
import type { LinkNote, ReceiptNote } from './notes.ts';
import type { CallNode, CallsReport, EnvironmentName, RunNode } from './report.ts';

/** Calls that lie deeper are not told: interpreters nest them 5 deep at most. */
const MAX_DEPTH = 32;

/** So many runs are told in one tree, and in all of them together. */
const MAX_NODES = 1_000;
const MAX_ALL_NODES = 1_000_000;

/** So many trees are told: of different kinds, or with `all` of runs. */
const MAX_TREES = 1_000;
const MAX_ALL_TREES = 50_000;

/** What trees name. */
export interface TreeMeans {
  readonly trust: TrustStore;
  readonly certificates: Certificates;
}

/** Who called whom, beginning with the runs that nobody at hand called. */
export function reportCalls(means: TreeMeans, calls: Calls, all: boolean): CallsReport {
  const trees = new Map<string, { runs: number; readonly root: RunNode }>();
  let links = 0;
  let followed = 0;
  let more = 0;
  let allLeft = MAX_ALL_NODES;
  for (const caller of calls.callers) {
    for (const link of caller.links) {
      links++;
      if (calls.of(link)?.problem === undefined) followed++;
    }
    if (calls.called.has(caller)) continue;
    if (allLeft <= 0) {
      more++;
      continue;
    }
    const telling = { ...means, calls, nodesLeft: MAX_NODES };
    const root = nodeOf(telling, caller, 0);
    allLeft -= MAX_NODES - telling.nodesLeft;
    const key = all ? String(trees.size) : JSON.stringify(root, withoutPlaces);
    const known = trees.get(key);
    if (known !== undefined) known.runs++;
    else if (trees.size < (all ? MAX_ALL_TREES : MAX_TREES)) trees.set(key, { runs: 1, root });
    else more++;
  }
  return { links, followed, trees: [...trees.values()], ...(more > 0 && { more }) };
}

/** Leaves out what differs between runs that are told as one. */
function withoutPlaces(key: string, value: unknown): unknown {
  return key === 'epoch' || key === 'link' || key === 'file' ? undefined : value;
}

interface Telling extends TreeMeans {
  readonly calls: Calls;
  nodesLeft: number;
}

function nodeOf(telling: Telling, note: ReceiptNote, depth: number): RunNode {
  const { entry, status, where, links } = note;
  const told: CallNode[] = [];
  let more = 0;
  for (const link of links) {
    if (depth < MAX_DEPTH && telling.nodesLeft > 0) told.push(callOf(telling, link, depth));
    else more++;
  }
  return {
    executor: entry.executor,
    environment: environmentName(telling.trust, entry.signer),
    status,
    tier: entry.tier,
    ...certified(telling, entry.certificateHash),
    where,
    calls: told,
    ...(more > 0 && { more }),
  };
}

function callOf(telling: Telling, note: LinkNote, depth: number): CallNode {
  const { directive, type, decision, reason, link } = note;
  const { callees = [], attestation, problem } = telling.calls.of(note) ?? {};
  const room = Math.max(0, telling.nodesLeft);
  telling.nodesLeft -= Math.max(1, callees.length);
  const nodes = callees.slice(0, room).map((callee) => nodeOf(telling, callee, depth + 1));
  return {
    ...{ directive, type, decision, link },
    ...(reason !== undefined && { reason }),
    ...(attestation && { attestation: { file: attestation.file, holds: attestation.holds } }),
    ...(problem !== undefined && { problem }),
    callees: nodes.length === 0 && attestation ? [attestedNode(telling, attestation)] : nodes,
    ...(nodes.length < callees.length && { more: callees.length - nodes.length }),
  };
}

/** What was called, as its attestation alone tells. */
function attestedNode(
  telling: Telling,
  { executor, signer, call, certificateHash }: JudgedAttestation,
): RunNode {
  return {
    executor,
    environment: environmentName(telling.trust, signer),
    status: call?.status ?? 'unknown',
    tier: 1,
    ...certified(telling, certificateHash),
    where: null,
    calls: [],
  };
}

function certified({ certificates }: TreeMeans, hash: RunNode['certificateHash']) {
  const found = hash === null ? undefined : certificates.find(hash);
  return { certificateHash: hash, certified: found?.holds ?? null };
}

/** What the trust store calls an environment, or a certifier. */
export function environmentName(
  trust: TrustStore,
  keyId: KeyId,
  role: 'environment' | 'certifier' = 'environment',
): EnvironmentName {
  const label = trust.find(keyId, role)?.label;
  return { keyId, ...(label !== undefined && { label }) };
}
