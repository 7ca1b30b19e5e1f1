/** What directives may be asked for while a workflow is in a phase. */
export interface PhaseRule {
  readonly name: string;
  /** The tags that are allowed; all unless given. */
  readonly directives?: ReadonlySet<string> | undefined;
}

/** A phase of a workflow, as a policy lists them in order. */
export interface PhaseEntry {
  readonly name: string;
  /** How many steps it has; all that are left unless given. */
  readonly steps?: number | undefined;
  readonly directives?: readonly string[] | undefined;
}

/**
 * The phase that a step is in; `undefined` where no phases are listed. Steps beyond the last phase
 * belong to it.
 * @param step from 0.
 */
export function phaseAt(phases: readonly PhaseEntry[], step: number): PhaseRule | undefined {
  let end = 0;
  const found = phases.find(({ steps }) => {
    end += steps ?? Number.POSITIVE_INFINITY;
    return step < end;
  });
  const entry = found ?? phases.at(-1);
  if (entry === undefined) return undefined;
  const { name, directives } = entry;
  return { name, ...(directives !== undefined && { directives: new Set(directives) }) };
}
