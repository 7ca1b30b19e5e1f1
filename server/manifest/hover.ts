import { findNodeAtOffset, getNodePath, type Node } from 'jsonc-parser';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type Hover, MarkupKind, type Position } from 'vscode-languageserver-types';
import { withinTrust } from '../../engine/governance/trust.ts';
import type { JsonPath } from '../../engine/project/json-document.ts';
import type { Manifest, ManifestReading } from '../../engine/project/manifest.ts';
import { DEFAULT_LIMITS } from '../../engine/runtime/types.ts';
import type { Capability } from '../../engine/whitelist/directives.ts';
import type { Analysis } from '../analysis/results.ts';
import { code, plain } from '../features/markdown.ts';
import { artifactText } from './artifact-hover.ts';
import { paragraphs, table } from './blocks.ts';
import { toOffset, toRange } from './places.ts';
import { schemaAt } from './schema.ts';
import { manifestTree } from './tree.ts';
import {
  capabilitiesAmong,
  capabilitiesNeededBy,
  capabilityOf,
  directivesList,
  TIER_TEXTS,
  trustText,
} from './words.ts';

/**
 * What to know of the field under a position of a manifest, as Markdown; `undefined` where there is
 * no field, or none that the manifest may have.
 * @param analysis what is known of the artifact; absent while it is not.
 */
export function manifestHover(
  document: TextDocument,
  reading: ManifestReading,
  position: Position,
  analysis?: Analysis,
): Hover | undefined {
  const root = manifestTree(reading);
  const node = root && findNodeAtOffset(root, toOffset(document, position));
  if (node === undefined || !isScalar(node)) return undefined;
  const path = getNodePath(node);
  const value = hoverText(path, node, reading, analysis);
  if (value === undefined || value === '') return undefined;
  return { contents: { kind: MarkupKind.Markdown, value }, range: toRange(document, node) };
}

/** Keys and simple values; between the items of a list there is nothing to tell. */
function isScalar({ type }: Node): boolean {
  return type !== 'object' && type !== 'array' && type !== 'property';
}

function hoverText(
  path: JsonPath,
  node: Node,
  { manifest }: ManifestReading,
  analysis: Analysis | undefined,
): string | undefined {
  const doc = schemaAt(path)?.description;
  const [field, step] = path;
  switch (field) {
    case 'artifact':
      return analysis === undefined ? doc : artifactText(analysis);
    case 'capabilities':
      return step === undefined
        ? paragraphs(doc, analysis && neededText(analysis, manifest))
        : capabilityText(node.value, manifest, analysis);
    case 'limits':
      return paragraphs(doc, manifest && limitsText(path, manifest));
    case 'trust':
      return paragraphs(doc, manifest && `\`${manifest.trust}\`: ${trustText(manifest.trust)}`);
    case 'tier':
      return paragraphs(doc, manifest && `Tier ${manifest.tier}. ${TIER_TEXTS.get(manifest.tier)}`);
    case 'whitelist':
      return paragraphs(doc, analysis && whitelistInForce(analysis));
    default:
      return doc;
  }
}

function neededText({ imports }: Analysis, manifest: Manifest | undefined): string {
  const needed = capabilitiesNeededBy(imports);
  if (needed.length === 0) return 'The artifact needs none of them.';
  const names = needed.map((capability) => code(capability)).join(', ');
  const undeclared = needed.filter((name) => manifest && !manifest.capabilities.includes(name));
  const missing =
    undeclared.length === 0
      ? ''
      : ` Not declared: ${undeclared.map((capability) => code(capability)).join(', ')}.`;
  return `The artifact needs ${names}.${missing}`;
}

function capabilityText(
  value: unknown,
  manifest: Manifest | undefined,
  analysis: Analysis | undefined,
): string | undefined {
  const [capability] = typeof value === 'string' ? capabilitiesAmong([value]) : [];
  if (capability === undefined) return undefined;
  return paragraphs(
    `${code(capability)} permits these directives:`,
    directivesList(capability),
    analysis && importsNeeding(capability, analysis),
    manifest && deniedText(capability, manifest),
  );
}

function importsNeeding(capability: Capability, { imports, allImportsPure }: Analysis): string {
  const names = imports
    .filter((entry) => capabilityOf(entry) === capability)
    .map(({ name }) => code(name));
  if (names.length > 0) return `The artifact imports ${names.join(', ')}.`;
  return allImportsPure
    ? 'No import of the artifact needs it; a directive of its output may.'
    : 'No import that could be read needs it.';
}

function deniedText(capability: Capability, { trust }: Manifest): string | undefined {
  return withinTrust(trust, capability)
    ? undefined
    : `Denied at the trust level \`${trust}\`, whatever is declared.`;
}

function whitelistInForce({ whitelist }: Analysis): string {
  const { name, version, hash } = whitelist;
  return `In force: ${plain(`${name}@${version}`)}, SHA-256 ${code(hash.slice(0, 8))}…`;
}

/** The limits that a run has, also those that are left out. */
function limitsText(path: JsonPath, { limits, memoryProfile, budget }: Manifest): string {
  const [, name, phase] = path;
  const defaults = new Map(Object.entries(DEFAULT_LIMITS));
  if (name === undefined) {
    const rows = Object.entries(limits).map(([limit, value]) => [
      code(limit),
      value.toLocaleString('en'),
      value === defaults.get(limit) ? 'default' : '',
    ]);
    return table(['limit', 'in effect', ''], rows);
  }
  if (name === 'memoryProfile' && memoryProfile !== undefined) {
    return `In effect: ${limits.memoryPages} pages, neither fewer nor more.`;
  }
  const value = Object.entries(limits).find(([limit]) => limit === name)?.[1];
  if (value !== undefined) return `In effect: ${value.toLocaleString('en')}.`;
  const share = Object.entries(budget).find(([known]) => known === phase)?.[1];
  return share === undefined ? '' : `In effect: ${share.toLocaleString('en')} ms.`;
}
