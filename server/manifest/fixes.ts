// What to write in place of what is wrong with a manifest by itself: one function a kind of problem.

import type { Edit, Node } from 'jsonc-parser';
import { displayText } from '../../engine/encoding/display.ts';
import type { DocumentProblem, JsonPath } from '../../engine/project/json-document.ts';
import { manifestFields } from '../../engine/project/manifest-schema.ts';
import { nearest } from '../../engine/project/nearest.ts';
import { patternProblem } from '../../engine/project/pattern.ts';
import { type PathReach, relativePathProblem } from '../../engine/project/relative-path.ts';
import { insertChild, removal, removeChild, replacement } from './edits.ts';
import { choicesAt } from './schema.ts';
import { isMeant, type Token, tokensFrom } from './tokens.ts';
import { membersOf, nodeAt } from './tree.ts';

/** A change that takes one problem away. Its title is what the editor's menu says. */
export interface Fix {
  readonly title: string;
  /** In the text of the reading. */
  readonly edits: readonly Edit[];
}

/** What the fixes are made from. */
export interface FixContext {
  readonly text: string;
  readonly root: Node;
  /** The name of the manifest's folder. */
  readonly folderName: string;
  /** Modules in the project, relative to the manifest, the likeliest first. */
  readonly artifacts: readonly string[];
}

type Fixer = (problem: DocumentProblem, context: FixContext) => Iterable<Fix>;

const FIXERS: readonly Fixer[] = [
  misspeltField,
  repeatedKey,
  missingField,
  wrongChoice,
  trailingComma,
  untidyPath,
  profileBesidePages,
];

/** The fixes that may take a problem away. Whether one does is for the caller to try. */
export function fixesOf(problem: DocumentProblem, context: FixContext): Fix[] {
  return FIXERS.flatMap((fixer) => [...fixer(problem, context)]);
}

function* misspeltField(problem: DocumentProblem, { root }: FixContext): Iterable<Fix> {
  const [name, parent] = [problem.path.at(-1), problem.path.slice(0, -1)];
  const fields = manifestFields(parent);
  if (typeof name !== 'string' || fields.length === 0 || fields.includes(name)) return;
  const present = new Set(membersOf(nodeAt(root, parent)).map(({ key }) => key.value));
  const meant = nearest(name, fields);
  if (meant === undefined || present.has(meant)) return;
  yield { title: `Change to "${meant}"`, edits: [replacement(problem, meant)] };
}

function* repeatedKey({ path, offset }: DocumentProblem, context: FixContext): Iterable<Fix> {
  const members = membersOf(nodeAt(context.root, path));
  const later = members.find(({ key }) => key.offset === offset);
  if (later === undefined) return;
  const first = members.find(({ key }) => key.value === later.key.value);
  if (first === undefined || first === later) return;
  const name = displayText(String(later.key.value), 40);
  yield {
    title: `Remove this "${name}", keep the first`,
    edits: removeChild(context.text, later.member),
  };
}

/** What a field that has to be there may begin as. */
const INITIAL: ReadonlyMap<string, (context: FixContext) => string> = new Map([
  ['name', ({ folderName }: FixContext) => nameFrom(folderName)],
  ['version', () => '1.0.0'],
  ['artifact', ({ folderName, artifacts }: FixContext) => artifactFrom(folderName, artifacts)],
]);

function* missingField({ path }: DocumentProblem, context: FixContext): Iterable<Fix> {
  const [field, ...deeper] = path;
  if (typeof field !== 'string' || deeper.length > 0) return;
  const value = INITIAL.get(field)?.(context);
  if (value === undefined || nodeAt(context.root, path) !== undefined) return;
  yield {
    title: `Add "${field}": ${JSON.stringify(value)}`,
    edits: insertField(context, field, JSON.stringify(value)),
  };
}

/** Adds a field to the manifest, behind the nearest of those that the schema has before it. */
export function insertField(
  { text, root }: Pick<FixContext, 'text' | 'root'>,
  field: string,
  value: string,
): Edit[] {
  const fields = manifestFields([]);
  const before = new Set<unknown>(fields.slice(0, fields.indexOf(field)));
  const neighbour = membersOf(root).findLast(({ key }) => before.has(key.value))?.member;
  return insertChild(text, root, neighbour, `${JSON.stringify(field)}: ${value}`);
}

/** A name as the schema wants it, from the name of a folder. */
export function nameFrom(folderName: string): string {
  const name = folderName
    .slice(0, 256)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64)
    .replace(/[^a-z0-9]+$/, '');
  return name === '' ? 'executor' : name;
}

function artifactFrom(folderName: string, artifacts: readonly string[]): string {
  const found = artifacts.find(
    (path) => relativePathProblem(path, 'inside the project') === undefined,
  );
  return found ?? `build/${nameFrom(folderName)}.wasm`;
}

function* wrongChoice(
  { path, offset, length }: DocumentProblem,
  { root }: FixContext,
): Iterable<Fix> {
  const choices = choicesAt(path);
  const value: unknown = nodeAt(root, path)?.value;
  if (typeof value !== 'string' || choices.some((choice) => choice === value)) return;
  // A number in quotes is meant as that number; a digit "near" to another is not.
  const meant = choices.every((choice) => typeof choice === 'number')
    ? choices.find((choice) => String(choice) === value)
    : nearest(
        value,
        choices.filter((choice) => typeof choice === 'string'),
      );
  if (meant === undefined) return;
  const edits = [replacement({ offset, length }, meant)];
  yield { title: `Change to ${JSON.stringify(meant)}`, edits };
}

function* trailingComma({ path, offset }: DocumentProblem, { text }: FixContext): Iterable<Fix> {
  if (path.length > 0 || !/[}\]]/.test(text.charAt(offset))) return;
  let last: Token | undefined;
  for (const token of tokensFrom(text)) {
    if (token.offset >= offset) break;
    if (isMeant(token)) last = token;
  }
  if (last?.kind !== ',') return;
  yield {
    title: 'Remove the trailing comma',
    edits: [removal({ offset: last.offset, length: 1 })],
  };
}

/** What the paths and patterns of each field are held to. */
const PATH_PROBLEMS: ReadonlyMap<unknown, (path: string) => string | undefined> = new Map([
  ['artifact', (path: string) => relativePathProblem(path, 'inside the project')],
  ['whitelist', (path: string) => relativePathProblem(path, 'anywhere')],
  ['source', (path: string) => patternProblem(path, 'anywhere')],
  ['cases', (path: string) => patternProblem(path, 'inside the project')],
]);

function* untidyPath(
  { path, offset, length }: DocumentProblem,
  { root }: FixContext,
): Iterable<Fix> {
  const problemOf = PATH_PROBLEMS.get(path[0]);
  const value: unknown = nodeAt(root, path)?.value;
  if (problemOf === undefined || typeof value !== 'string' || value.length > 1024) return;
  const tidy = tidyPath(
    value,
    path[0] === 'source' || path[0] === 'whitelist' ? 'anywhere' : 'inside the project',
  );
  if (tidy === undefined || tidy === value || problemOf(tidy) !== undefined) return;
  const edits = [replacement({ offset, length }, tidy)];
  yield { title: `Write ${JSON.stringify(displayText(tidy))}`, edits };
}

/** The same path with forward slashes and no step that leads nowhere; none if it leads too far out. */
function tidyPath(path: string, reach: PathReach): string | undefined {
  const slashed = path.replaceAll('\\', '/');
  if (slashed.startsWith('/')) return undefined;
  const steps: string[] = [];
  for (const step of slashed.split('/')) {
    if (step === '' || step === '.') continue;
    if (step !== '..') steps.push(step);
    else if (steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (reach === 'anywhere') steps.push(step);
    else return undefined;
  }
  return steps.join('/');
}

const MEMORY: readonly JsonPath[] = [
  ['limits', 'memoryPages'],
  ['limits', 'memoryProfile'],
];

function* profileBesidePages(problem: DocumentProblem, { text, root }: FixContext): Iterable<Fix> {
  if (problem.path[0] !== 'limits' || problem.path[1] !== 'memoryProfile') return;
  const members = MEMORY.map((path) => nodeAt(root, path)?.parent);
  for (const member of members) {
    if (member === undefined || members.includes(undefined)) continue;
    yield {
      title: `Remove "${member.children?.[0]?.value}"`,
      edits: removeChild(text, member),
    };
  }
}
