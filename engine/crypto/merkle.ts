// The Merkle tree of RFC 6962 section 2.1: leaves and nodes are hashed under prefixes of their own, and
// a tree whose size is no power of two is split at the largest one below it.

import type { Crypto, Sha256 } from './crypto.ts';

const LEAF = 0x00;
const NODE = 0x01;

// What is hashed is put together here, since making room for it would take longer than hashing it.
const leafRoom = new Uint8Array(4_096);
const nodeRoom = new Uint8Array(65);

/** The hash of a leaf: SHA-256(0x00 ‖ data). */
export function leafHash(crypto: Crypto, data: Uint8Array): Sha256 {
  const length = 1 + data.length;
  const prefixed =
    length <= leafRoom.length ? leafRoom.subarray(0, length) : new Uint8Array(length);
  prefixed[0] = LEAF;
  prefixed.set(data, 1);
  return crypto.sha256(prefixed);
}

/** The hash of a node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(crypto: Crypto, left: Sha256, right: Sha256): Sha256 {
  nodeRoom[0] = NODE;
  writeHex(left, nodeRoom, 1);
  writeHex(right, nodeRoom, 33);
  return crypto.sha256(nodeRoom);
}

/** Makes the root of leaves that come one by one, with one hash in memory for each level. */
export interface RootBuilder {
  add(leaf: Sha256): void;
  /** The root of the leaves so far; of none, it is the SHA-256 of nothing. */
  root(): Sha256;
}

export function createRootBuilder(crypto: Crypto): RootBuilder {
  /** The complete subtrees, the largest first: one for each bit that is set in the number of leaves. */
  const subtrees: Sha256[] = [];
  let count = 0;
  return {
    add: (leaf) => {
      let hash = leaf;
      for (let rest = count++; rest % 2 === 1; rest = (rest - 1) / 2) {
        const left = subtrees.pop();
        if (left !== undefined) hash = nodeHash(crypto, left, hash);
      }
      subtrees.push(hash);
    },
    root: () => {
      const last = subtrees.at(-1);
      if (last === undefined) return crypto.sha256(new Uint8Array(0));
      return subtrees.slice(0, -1).reduceRight((hash, left) => nodeHash(crypto, left, hash), last);
    },
  };
}

/** The root of a tree. */
export function merkleRoot(crypto: Crypto, leaves: readonly Sha256[]): Sha256 {
  const builder = createRootBuilder(crypto);
  for (const leaf of leaves) builder.add(leaf);
  return builder.root();
}

/**
 * The path that proves a leaf (RFC 6962 section 2.1.1): the hash beside it on each level that has one,
 * from the leaf up.
 * @throws {RangeError} for an index at which there is no leaf.
 */
export function inclusionPath(
  crypto: Crypto,
  leaves: readonly Sha256[],
  index: number,
): readonly Sha256[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`"index" expected 0 to ${leaves.length - 1}, got ${index}`);
  }
  const path: Sha256[] = [];
  let place = index;
  for (let level = leaves; level.length > 1; level = levelAbove(crypto, level)) {
    const sibling = level[place % 2 === 0 ? place + 1 : place - 1];
    if (sibling !== undefined) path.push(sibling);
    place = Math.floor(place / 2);
  }
  return path;
}

/** The last of an odd number goes up as it is, which is what splitting at powers of two comes to. */
function levelAbove(crypto: Crypto, level: readonly Sha256[]): Sha256[] {
  const above: Sha256[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i], level[i + 1]];
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(crypto, left, right));
  }
  return above;
}

/**
 * The root that a path leads to from a leaf (RFC 9162 section 2.1.3.2); `undefined` where the path does
 * not have the length of that place in a tree of `count` leaves.
 */
export function rootOfPath(
  crypto: Crypto,
  leaf: Sha256,
  place: { readonly index: number; readonly count: number },
  path: readonly Sha256[],
): Sha256 | undefined {
  let { index } = place;
  let last = place.count - 1;
  if (!Number.isSafeInteger(last) || !Number.isSafeInteger(index) || index < 0 || index > last) {
    return undefined;
  }
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (index % 2 === 1 || index === last) {
      hash = nodeHash(crypto, sibling, hash);
      // A place at the right edge has no sibling on the levels where it is the odd one out.
      while (index % 2 === 0 && index !== 0) {
        index /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(crypto, hash, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}

function writeHex(hex: Sha256, target: Uint8Array, at: number): void {
  for (let i = 0; i < 32; i++) {
    target[at + i] = (digit(hex.charCodeAt(2 * i)) << 4) | digit(hex.charCodeAt(2 * i + 1));
  }
}

/** The value of a lower-case hex digit by its code. */
function digit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}
