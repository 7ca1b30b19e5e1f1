/**
 * Whether a condition holds for every build for WebAssembly, for none, or for some: what a source
 * alone does not settle is `undefined` (Kleene's strong logic of three values).
 */
export type Certainty = boolean | undefined;

/** Whether all of these hold; so for none of them. */
export function allOf(parts: readonly Certainty[]): Certainty {
  if (parts.includes(false)) return false;
  return parts.includes(undefined) ? undefined : true;
}

/** Whether any of these holds; not so for none of them. */
export function anyOf(parts: readonly Certainty[]): Certainty {
  if (parts.includes(true)) return true;
  return parts.includes(undefined) ? undefined : false;
}

/** Whether this does not hold. */
export function notSo(part: Certainty): Certainty {
  return part === undefined ? undefined : !part;
}
