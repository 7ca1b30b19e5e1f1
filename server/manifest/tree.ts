import { type Node, parseTree } from 'jsonc-parser';
import { type JsonPath, offsetOfDeepNesting } from '../../engine/project/json-document.ts';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import { MAX_MANIFEST_BYTES } from '../../engine/project/manifest-schema.ts';

/** Whether recursive parsers may be given a text: it is no longer than a manifest may be, nor nests too deep. */
export function isShallow(text: string): boolean {
  return text.length <= MAX_MANIFEST_BYTES && offsetOfDeepNesting(text) === undefined;
}

/** Parsed once for all features that are asked about one state of the text. */
const trees = new WeakMap<ManifestReading, { readonly root: Node | undefined }>();

/** The syntax tree of a manifest; `undefined` where its text was refused or holds no value. */
export function manifestTree(reading: ManifestReading): Node | undefined {
  const known = trees.get(reading);
  if (known !== undefined) return known.root;
  // What was refused for its size or its depth has no place at all.
  const root = reading.locate([]) === undefined ? undefined : parseTree(reading.text);
  trees.set(reading, { root });
  return root;
}

/** The members of an object as key and value; a value that is not written yet is `undefined`. */
export function membersOf(
  object: Node | undefined,
): { readonly member: Node; readonly key: Node; readonly value: Node | undefined }[] {
  if (object?.type !== 'object') return [];
  return (object.children ?? []).flatMap((member) => {
    const [key, value] = member.children ?? [];
    return key === undefined ? [] : [{ member, key, value }];
  });
}

function memberOf(object: Node | undefined, name: string): Node | undefined {
  if (object?.type !== 'object') return undefined;
  return object.children?.find((member) => member.children?.[0]?.value === name);
}

/** The node at a path, the first where a key is written twice. */
export function nodeAt(root: Node | undefined, path: JsonPath): Node | undefined {
  let node = root;
  for (const step of path) {
    if (typeof step === 'number') node = node?.type === 'array' ? node.children?.[step] : undefined;
    else node = memberOf(node, step)?.children?.[1];
    if (node === undefined) return undefined;
  }
  return node;
}

/** The texts at a path: of the string there, or of the strings of the list there. */
export function textNodesAt(
  root: Node | undefined,
  path: JsonPath,
): { readonly node: Node; readonly text: string }[] {
  const node = nodeAt(root, path);
  const candidates = node?.type === 'array' ? (node.children ?? []) : node ? [node] : [];
  return candidates.flatMap((candidate) => {
    const text: unknown = candidate.value;
    return candidate.type === 'string' && typeof text === 'string'
      ? [{ node: candidate, text }]
      : [];
  });
}
