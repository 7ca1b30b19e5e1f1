import type { Edit, Node } from 'jsonc-parser';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import { type Capability, DIRECTIVES } from '../../engine/whitelist/directives.ts';
import type { AnalysedFinding } from '../analysis/results.ts';
import { COMMANDS } from '../protocol.ts';
import { insertChild } from './edits.ts';
import { insertField } from './fixes.ts';
import { nodeAt, textNodesAt } from './tree.ts';
import { capabilitiesAmong } from './words.ts';

/** What mends a finding: a change of the manifest, or a command that the client runs on it. */
export type Remedy =
  | { readonly kind: 'edit'; readonly title: string; readonly edits: readonly Edit[] }
  | { readonly kind: 'command'; readonly title: string; readonly command: string };

/** What can be done from the manifest about a finding in an artifact, if anything. */
export function findingRemedies(
  { code, subject }: AnalysedFinding,
  reading: ManifestReading,
  root: Node | undefined,
): Remedy[] {
  switch (code) {
    case 'capability-undeclared':
      return root === undefined ? [] : declaration(subject, reading.text, root);
    case 'certificate-missing':
      return [{ kind: 'command', title: 'Certify…', command: COMMANDS.certify }];
    case 'certificate-stale':
      return [{ kind: 'command', title: 'Certify Again', command: COMMANDS.certify }];
    case 'artifact-missing':
    case 'artifact-stale':
      return reading.manifest?.build === undefined
        ? []
        : [{ kind: 'command', title: 'Build…', command: COMMANDS.build }];
    default:
      return [];
  }
}

/** Declares the capability that a directive needs, unless the text does so by now. */
function declaration(tag: string, text: string, root: Node): Remedy[] {
  const capability = DIRECTIVES.get(tag)?.capability ?? undefined;
  if (capability === undefined || root.type !== 'object') return [];
  const declared = textNodesAt(root, ['capabilities']);
  if (capabilitiesAmong(declared.map((item) => item.text)).has(capability)) return [];
  const edits = declare(capability, text, root);
  return edits === undefined ? [] : [{ kind: 'edit', title: `Declare ${capability}`, edits }];
}

function declare(capability: Capability, text: string, root: Node): Edit[] | undefined {
  const list = nodeAt(root, ['capabilities']);
  const item = JSON.stringify(capability);
  if (list === undefined) return insertField({ text, root }, 'capabilities', `[${item}]`);
  return list.type === 'array' ? insertChild(text, list, list.children?.at(-1), item) : undefined;
}
