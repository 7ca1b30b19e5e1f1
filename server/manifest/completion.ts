import type { CompletionList, JSONSchema } from 'vscode-json-languageservice';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Position } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';
import { TRUST_LEVELS } from '../../engine/governance/trust.ts';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import { type PathReach, relativePathProblem } from '../../engine/project/relative-path.ts';
import { MEMORY_PROFILES, PROFILE_PAGES } from '../../engine/runtime/profiles.ts';
import { DEFAULT_LIMITS } from '../../engine/runtime/types.ts';
import { CAPABILITIES } from '../../engine/whitelist/directives.ts';
import caseSchema from '../../schemas/case.schema.json' with { type: 'json' };
import { nameFrom } from './fixes.ts';
import { type CompletionClient, completeBySchema } from './json-service.ts';
import { MANIFEST_SCHEMA } from './schema.ts';
import { manifestTree, textNodesAt } from './tree.ts';
import { capabilitiesAmong, directivesList, TIER_TEXTS, trustText } from './words.ts';

/** What a schema cannot know. Paths are relative to the manifest, with forward slashes. */
export interface CompletionWorld {
  /** The name of the manifest's folder. */
  readonly folderName: string;
  /** Modules in the project. */
  readonly artifacts: readonly string[];
  /** Files and folders that an artifact may be built from. */
  readonly sources: readonly string[];
  readonly cases: readonly string[];
  /** Names such as `mashin@1`, and paths of whitelist documents. */
  readonly whitelists: readonly string[];
  /** Exports of the artifact of type `() -> ()`; absent where it could not be read. */
  readonly entries?: readonly string[];
}

/** More values than this are not offered for one field. */
const MAX_VALUES = 500;

/** Fields and values that fit a position of a manifest. Never rejects. */
export function completeManifest(
  document: TextDocument,
  reading: ManifestReading,
  position: Position,
  world: CompletionWorld,
  client: CompletionClient,
): Promise<CompletionList> {
  return completeBySchema(document, position, completionSchema(reading, world), client);
}

/** Fields and values that fit a position of a case file. Never rejects. */
export function completeCase(
  document: TextDocument,
  position: Position,
  client: CompletionClient,
): Promise<CompletionList> {
  return completeBySchema(document, position, caseSchema, client);
}

/** The manifest's schema with what fits this manifest in place of what fits any. */
function completionSchema(reading: ManifestReading, world: CompletionWorld): JSONSchema {
  const root = manifestTree(reading);
  const written = (field: string) => textNodesAt(root, [field]).map(({ text }) => text);
  const declared = capabilitiesAmong(written('capabilities'));
  const undeclared = CAPABILITIES.filter((capability) => !declared.has(capability));
  const sources = without(pathsAmong(world.sources, 'anywhere'), written('source'));
  const cases = without(pathsAmong(world.cases, 'inside the project'), written('cases'));
  const name = nameFrom(world.folderName);
  const minimal = { name, version: '1.0.0', artifact: `build/${name}.wasm` };
  return fieldsOf(withSnippet('New executor', minimal), {
    name: { examples: [name] },
    version: { examples: ['1.0.0'] },
    artifact: values(pathsAmong(world.artifacts, 'inside the project')),
    source: items(values(sources)),
    whitelist: values(world.whitelists.filter(isPlain)),
    entry: values(
      (world.entries ?? []).filter(isPlain),
      () => 'An export of the artifact of type `() -> ()`.',
    ),
    tier: values([...TIER_TEXTS.keys()], (tier) => TIER_TEXTS.get(tier) ?? ''),
    trust: values(TRUST_LEVELS, trustText),
    capabilities: items(values(undeclared, directivesList)),
    limits: limitsSchema(),
    cases: items(values(cases)),
  });
}

/** The schema, with a whole manifest for a text that is empty yet. */
function withSnippet(label: string, body: Readonly<Record<string, string>>): JSONSchema {
  const description = 'The fields that every manifest has.';
  return { ...MANIFEST_SCHEMA, defaultSnippets: [{ label, description, body }] };
}

function limitsSchema(): JSONSchema {
  const defaults = Object.entries(DEFAULT_LIMITS).map(([name, value]) => [
    name,
    { default: value },
  ]);
  const limits = MANIFEST_SCHEMA.properties?.limits;
  return fieldsOf(typeof limits === 'object' ? limits : {}, {
    ...Object.fromEntries(defaults),
    memoryProfile: values(
      MEMORY_PROFILES,
      (profile) => `${PROFILE_PAGES[profile]} pages of 64 KiB, from the start to the end.`,
    ),
  });
}

/** A schema with more said of some of its fields, which are offered in the schema's order. */
function fieldsOf(schema: JSONSchema, more: Readonly<Record<string, JSONSchema>>): JSONSchema {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field], index) => {
    if (typeof field !== 'object') return [];
    const sorted = { suggestSortText: String(index).padStart(2, '0') };
    const shown = field.description === undefined ? {} : { markdownDescription: field.description };
    return [[name, { ...field, ...shown, ...sorted, ...more[name] }] as const];
  });
  return { ...schema, properties: Object.fromEntries(fields) };
}

/** Values to choose from, each with its documentation; nothing where there are none. */
function values<T extends string | number>(
  choices: readonly T[],
  docOf?: (choice: T) => string,
): JSONSchema {
  if (choices.length === 0) return {};
  const shown = choices.slice(0, MAX_VALUES);
  const docs = docOf && shown.map(docOf);
  return {
    enum: shown,
    enumSortTexts: shown.map((_, index) => String(index).padStart(3, '0')),
    ...(docs && { enumDescriptions: docs, markdownEnumDescriptions: docs }),
  };
}

function items(schema: JSONSchema): JSONSchema {
  return { items: { type: 'string', ...schema } };
}

function pathsAmong(paths: readonly string[], reach: PathReach): string[] {
  return paths.filter((path) => isPlain(path) && relativePathProblem(path, reach) === undefined);
}

function without(paths: readonly string[], written: readonly string[]): string[] {
  const known = new Set(written);
  return paths.filter((path) => !known.has(path));
}

/** Whether what a list shows is what would be written: names that could deceive are not offered. */
function isPlain(text: string): boolean {
  return displayText(text, 1024) === text;
}
