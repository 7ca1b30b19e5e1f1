import type { MeteringOptions } from '../../../engine/metering/instrument.ts';

/** The ways in which modules are metered for the suite. */
export const METERINGS: Readonly<Record<string, MeteringOptions>> = Object.freeze({
  metered: {},
  'metered, canonical NaN': { canonicalNaN: true },
});
