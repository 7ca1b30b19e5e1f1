/**
 * What an instruction reaches other than one function by a direct call. The first six lead to
 * functions; the last four are what an import may provide, and lead nowhere.
 */
const KINDS = [
  /** `call_indirect`: the functions of type `typeKey` in table `index`. */
  'indirect',
  /** `call_ref`: the functions of type `typeKey` to which a reference is taken. */
  'reference',
  /** `ref.func` of function `index`, where references may leave the module. */
  'function',
  /** `table.get` of table `index`, where references may leave the module. */
  'table-read',
  /** `array.new_elem`, `array.init_elem` of segment `index`, where references may leave. */
  'segment-read',
  /** `global.get` of global `index`, where references may leave the module. */
  'global-read',
  'table',
  'memory',
  'global',
  'tag',
] as const;

export type SiteKind = (typeof KINDS)[number];

export interface Site {
  readonly kind: SiteKind;
  readonly index: number;
  /** A key of {@link FunctionTypes}; -1 where the kind needs none. */
  readonly typeKey: number;
}

/** V8 takes fewer types, functions, tables and segments than this, so a key is a safe integer. */
const INDEX_LIMIT = 2 ** 24;
const CODES: ReadonlyMap<SiteKind, number> = new Map(KINDS.map((kind, code) => [kind, code]));

/** Numbers sites from 0, equal ones alike. */
export class Sites {
  private readonly numbers = new Map<number, number>();
  private readonly sites: Site[] = [];

  get count(): number {
    return this.sites.length;
  }

  get(number: number): Site | undefined {
    return this.sites[number];
  }

  /** The number of the site. */
  numberOf(kind: SiteKind, index: number, typeKey = -1): number {
    const key = keyOf(kind, index, typeKey);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.sites.length);
    this.sites.push({ kind, index, typeKey });
    return this.sites.length - 1;
  }

  /** The number of a site, if it was met. */
  find(kind: SiteKind, index: number): number | undefined {
    return this.numbers.get(keyOf(kind, index, -1));
  }
}

function keyOf(kind: SiteKind, index: number, typeKey: number): number {
  return ((CODES.get(kind) ?? 0) * INDEX_LIMIT + index) * INDEX_LIMIT + typeKey + 1;
}
