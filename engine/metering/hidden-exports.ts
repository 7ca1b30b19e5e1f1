import { writeName } from './assemble.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Declarations } from './declarations.ts';
import type { HiddenGlobals } from './hidden-globals.ts';
import { KIND } from './section-entries.ts';
import { V128 } from './value-types.ts';

/** What `state` exports, by name, in the order of the module's indices. */
export interface StateExports {
  readonly globals: readonly { readonly name: string; readonly type: readonly number[] }[];
  readonly tables: readonly string[];
  readonly memories: readonly string[];
}

/** Names that no export of the module has, and no module that it imports from. */
export class Names {
  private readonly prefix: string;

  constructor({ exports, importedModules }: Declarations) {
    const taken = [...exports, ...importedModules];
    let prefix = 'touchstone:';
    while (taken.some((name) => name.startsWith(prefix))) prefix = `${prefix}:`;
    this.prefix = prefix;
  }

  of(name: string): string {
    return `${this.prefix}${name}`;
  }
}

/**
 * The entries of the export section (5.5.10) for what the module has not exported by itself: the
 * meter, the start function, and where it is asked for, the state that a host saves and restores.
 */
export function hiddenExports(
  declarations: Declarations,
  hidden: HiddenGlobals,
  names: Names,
  withState: boolean,
): { readonly entries: Uint8Array[]; readonly state: StateExports } {
  const entries: Uint8Array[] = [];
  const add = (name: string, kind: number, index: number) => {
    const entry = new ByteWriter(64);
    writeName(entry, names.of(name));
    entry.byte(kind);
    entry.unsigned(index);
    entries.push(entry.take());
    return names.of(name);
  };
  add('fuel', KIND.global, hidden.fuel);
  add('stack', KIND.global, hidden.stack);
  add('pages', KIND.global, hidden.pagesLeft);
  add('elements', KIND.global, hidden.elementsLeft);
  if (hidden.fixedPages !== undefined) add('fixed-pages', KIND.global, hidden.fixedPages);
  if (declarations.start !== undefined) add('start', KIND.function, declarations.start);
  if (!withState) return { entries, state: { globals: [], tables: [], memories: [] } };
  const globals = declarations.globals.flatMap(({ type, mutable }, index) =>
    mutable && type[0] !== V128 ? [{ name: add(`global-${index}`, KIND.global, index), type }] : [],
  );
  const tables = declarations.tables.map((_, index) => add(`table-${index}`, KIND.table, index));
  const memories = declarations.memories.map((_, i) => add(`memory-${i}`, KIND.memory, i));
  return { entries, state: { globals, tables, memories } };
}
