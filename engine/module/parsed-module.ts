import type { SeenImport } from './import-difference.ts';
import type { ExternKind } from './types.ts';

/**
 * A defined type. Only function types have a text. `supertypes` are indices of declared ones, and
 * `grouped` tells a type declared by a form of the GC proposal.
 */
export interface DefinedType {
  readonly text: string | undefined;
  readonly results: number;
  readonly supertypes: readonly number[];
  readonly grouped: boolean;
}

/** A global defined in the module. `functions` are those its initial value refers to. */
export interface DefinedGlobal {
  readonly type: string;
  readonly functions: readonly number[];
}

/** An element segment. `functions` has one entry an element: -1 is null or not a known function. */
export interface ElementSegment {
  readonly mode: 'active' | 'passive' | 'declarative';
  readonly tableIndex: number;
  /** Where an active segment with a constant offset begins in its table. */
  readonly base: number | undefined;
  readonly functions: readonly number[];
}

export interface ParsedExport {
  readonly name: string;
  readonly kind: ExternKind;
  readonly index: number;
  /** Byte offset just after this entry. */
  readonly end: number;
}

/** What wasmparser reads of a module that V8 has accepted. */
export interface ParsedModule {
  readonly imports: readonly SeenImport[];
  readonly types: readonly DefinedType[];
  /** Type index of each function, imported ones first. */
  readonly functionTypes: readonly number[];
  /** Type index of each tag, imported ones first. */
  readonly tagTypes: readonly number[];
  readonly globals: readonly DefinedGlobal[];
  readonly exports: readonly ParsedExport[];
  readonly segments: readonly ElementSegment[];
  readonly start: number | undefined;
  /** Whether a constant expression computes (`i32.add` and its like). */
  readonly extendedConst: boolean;
}
