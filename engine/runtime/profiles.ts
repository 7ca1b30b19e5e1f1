/** Memory profiles (REFERENCE 4): pages of 64 KiB that a memory has from its start to its end. */
export const PROFILE_PAGES = Object.freeze({
  tile: 1,
  edge: 4,
  browser: 16,
  standard: 64,
  high: 256,
});

export type MemoryProfile = keyof typeof PROFILE_PAGES;

export const MEMORY_PROFILES = Object.freeze([
  'tile',
  'edge',
  'browser',
  'standard',
  'high',
] as const satisfies readonly MemoryProfile[]);
