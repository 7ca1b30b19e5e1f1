// What the functions that a C or C++ text declares import: clang's rules for attributes on several
// declarations of one function, and the assembler's directives.

import type { AssemblyDirective, ImportAttribute, ImportNames, NamedBy } from './c-attributes.ts';
import type { FoundFunction } from './c-functions.ts';
import { type Branch, isWithin } from './c-preprocessor.ts';
import type { CSource } from './c-source.ts';

/** The module that the linker imports from where nothing names one. */
const DEFAULT_MODULE = 'env';

/** What says a name of an import: an attribute of this declaration, of another one, or assembly. */
export type NameSource =
  | { readonly by: 'own'; readonly given: ImportAttribute }
  | { readonly by: 'other'; readonly given: NamedBy }
  | { readonly by: 'assembly'; readonly given: NamedBy };

/** A function that is imported. */
export interface CImport {
  readonly found: FoundFunction;
  readonly module: string;
  readonly name: string;
  readonly sources: ImportNames<NameSource>;
}

interface Placed {
  readonly found: FoundFunction;
  readonly branch: Branch | undefined;
}

/**
 * The imports among the functions of a text. None is a function that is defined wherever it is
 * declared, since clang disregards the attributes then, or one whose names another file tells.
 */
export function importsAmong(
  source: CSource,
  functions: readonly FoundFunction[],
): readonly CImport[] {
  const { preprocessed, lifted } = source;
  const groups = new Map<string, Placed[]>();
  for (const found of functions) {
    const branch = preprocessed.branchOf(lifted.remaining[found.name] ?? 0);
    const group = groups.get(found.symbol);
    if (group === undefined) groups.set(found.symbol, [{ found, branch }]);
    else group.push({ found, branch });
  }
  const directives = new Map<string, ImportNames<AssemblyDirective>>();
  for (const directive of lifted.assembly) {
    const known = directives.get(directive.symbol);
    directives.set(directive.symbol, { ...known, [directive.gives]: directive });
  }
  return [...groups].flatMap(([symbol, group]) =>
    importsOfGroup(symbol, group, directives.get(symbol) ?? {}),
  );
}

/** Declarations of one function past these, which no one writes, say nothing of one another. */
const MAX_OTHERS = 100;

function importsOfGroup(
  symbol: string,
  group: readonly Placed[],
  directives: ImportNames<AssemblyDirective>,
): readonly CImport[] {
  const definitions = group.filter(({ found }) => found.isDefinition).slice(0, MAX_OTHERS);
  const others = group.filter(({ found }) => found.lifted.length > 0).slice(-MAX_OTHERS);
  const found: CImport[] = [];
  for (const placed of group) {
    if (placed.found.isDefinition || placed.found.lifted.some(({ isUntold }) => isUntold)) continue;
    if (definitions.some(({ branch }) => isWithin(placed.branch, branch))) continue;
    const module = sourceOf('module', placed, others, directives);
    const name = sourceOf('name', placed, others, directives);
    found.push({
      found: placed.found,
      module: module?.given.value ?? DEFAULT_MODULE,
      name: name?.given.value ?? symbol,
      sources: { ...(module && { module }), ...(name && { name }) },
    });
  }
  return found;
}

function sourceOf(
  gives: 'module' | 'name',
  placed: Placed,
  others: readonly Placed[],
  directives: ImportNames<AssemblyDirective>,
): NameSource | undefined {
  const own = attributeOf(placed.found, gives);
  if (own !== undefined) return { by: 'own', given: own };
  const other = others.findLast(
    (each) => isWithin(placed.branch, each.branch) && attributeOf(each.found, gives) !== undefined,
  );
  const inherited = other && attributeOf(other.found, gives);
  if (inherited !== undefined) return { by: 'other', given: inherited };
  const directive = directives[gives];
  return directive && { by: 'assembly', given: directive };
}

/** The first attribute of a declaration that gives a name: clang disregards a second one. */
function attributeOf(
  { lifted }: FoundFunction,
  gives: 'module' | 'name',
): ImportAttribute | undefined {
  for (const { attributes } of lifted) {
    const found = attributes.find((attribute) => attribute.gives === gives);
    if (found !== undefined) return found;
  }
  return undefined;
}
