import type { Sha256 } from '../crypto/crypto.ts';

/** The kinds of import and export of WebAssembly 3.0, spelled as V8 spells them. */
export type ExternKind = 'function' | 'table' | 'memory' | 'global' | 'tag';

/**
 * One import as the gate's reader sees it. `type` is the whole type as text, one text for one type:
 *
 * | kind | example |
 * | --- | --- |
 * | function, tag | `(i32, i64) -> f32`, `() -> ()`, `(i32) -> (i32, i32)` |
 * | memory | `i32 1`, `i32 1 16`, `i64 1 2 shared` (address type, minimum, maximum in pages) |
 * | table | `i32 0 10 funcref` (address type, minimum, maximum, elements) |
 * | global | `i32`, `mut f64` |
 */
export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  readonly type: string;
  /** Byte offset in the file at which this import begins. */
  readonly offset: number;
}

export interface ExportEntry {
  readonly name: string;
  readonly kind: ExternKind;
  readonly type: string;
  /** Index in the index space of its kind, imports first. */
  readonly index: number;
  readonly offset: number;
}

/** Proposals and instruction classes a module uses, beyond WebAssembly 1.0. */
export type Feature =
  | 'bulk-memory'
  | 'custom-page-sizes'
  | 'exceptions'
  | 'exceptions-legacy'
  | 'extended-const'
  | 'function-references'
  | 'gc'
  | 'memory64'
  | 'multi-memory'
  | 'multi-value'
  | 'mutable-globals'
  | 'reference-types'
  | 'relaxed-simd'
  | 'saturating-float-to-int'
  | 'sign-extension'
  | 'simd'
  | 'tail-call'
  | 'threads'
  | 'unknown-instructions';

/** One section in file order. `offset` and `size` are of its contents, in bytes. */
export interface SectionEntry {
  readonly id: number;
  /** The standard name (`type`, `import`, …), or a custom section's own name. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface MemoryEntry {
  readonly imported: boolean;
  readonly address: 'i32' | 'i64';
  /** In pages of 64 KiB. */
  readonly minimum: bigint;
  readonly maximum: bigint | undefined;
  readonly shared: boolean;
}

/**
 * An instruction whose result may differ between machines or runs (DESIGN 7): relaxed vector
 * instructions, atomic ones, and those that read a shared memory or its size. At most the first 100
 * of a module are listed. A shared memory that no instruction reads shows in `memories` alone.
 */
export interface NondeterministicInstruction {
  readonly instruction: string;
  readonly functionIndex: number;
  readonly offset: number;
  readonly reason: 'relaxed-simd' | 'shared-memory';
}

export type ReaderName = 'walker' | 'wasmparser' | 'webassemblyjs' | 'v8';

/**
 * What one reader had to say about the imports. `cannot-read` is a record, never an answer: it
 * counts as no opinion, and never as "no imports".
 */
export type ReaderOpinion =
  | { readonly reader: ReaderName; readonly outcome: 'agrees' }
  | { readonly reader: ReaderName; readonly outcome: 'cannot-read'; readonly detail: string }
  | { readonly reader: ReaderName; readonly outcome: 'disagrees'; readonly detail: string };

/** Everything that the engine knows about a module from its bytes alone. */
export interface ModuleReport {
  readonly sha256: Sha256;
  /** In bytes. */
  readonly size: number;
  readonly sections: readonly SectionEntry[];
  readonly imports: readonly ImportEntry[];
  readonly exports: readonly ExportEntry[];
  readonly memories: readonly MemoryEntry[];
  readonly features: readonly Feature[];
  readonly nondeterministic: readonly NondeterministicInstruction[];
  /** Index of the start function. */
  readonly start: number | undefined;
  /** One opinion a reader, `walker` first. */
  readonly readers: readonly ReaderOpinion[];
  readonly callGraph: CallGraph;
}

/** Which function can reach which, and the names people know them by. */
export interface CallGraph {
  /** Number of functions, imports included. */
  readonly functionCount: number;
  readonly importedFunctionCount: number;
  /**
   * The name of a function: from the `name` section (demangled), else its export, else for an
   * imported one `module.name`, else `func[N]`. Text from the file: escape it before showing it.
   */
  nameOf(functionIndex: number): string;
  /**
   * The shortest path from a root to the import at `importIndex` (an index into
   * `ModuleReport.imports`), or `undefined` if nothing reaches it. Exports and the start function are
   * the roots; elements of exported and imported tables, which the host may call, only for what
   * those do not reach. For an import that is not a function the path ends at the function nearest
   * to a root that uses it. If the features hold `unknown-instructions`, `undefined` proves nothing.
   */
  pathTo(importIndex: number): CallPath | undefined;
}

/** How a path enters the module. */
export type CallRoot =
  | { readonly kind: 'export'; readonly name: string }
  | { readonly kind: 'start' }
  | { readonly kind: 'table'; readonly tableIndex: number };

export interface CallFrame {
  readonly functionIndex: number;
  /** Demangled, as {@link CallGraph.nameOf}. */
  readonly name: string;
  /**
   * How this frame is reached from the one before: `root` for the first; `call` for a direct call;
   * `indirect` through a table, by `call_indirect`; `reference` by a function reference.
   */
  readonly via: 'root' | 'call' | 'indirect' | 'reference';
  /** Byte offset of the calling instruction, in the file. Absent for the root. */
  readonly offset?: number;
  /**
   * For `indirect`: the table and the element through which the call goes. The element is not known
   * where code fills the table (`table.init`, `table.set`) or the segment's place is no constant.
   */
  readonly table?:
    | { readonly tableIndex: number; readonly elementIndex: number | undefined }
    | undefined;
  /** Marks the last frame of the author's own code: what follows is runtime or library. */
  readonly lastOfAuthor: boolean;
}

/** From a root to an import; for an import that is not a function, what makes the module need it. */
export interface CallPath {
  readonly root: CallRoot;
  /**
   * First the root's function, last the imported one, or the one that uses an import of another
   * kind. Never empty; an import that is itself exported is the only frame of its path.
   */
  readonly frames: readonly CallFrame[];
}
