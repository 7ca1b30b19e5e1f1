import { z } from 'zod';
import { RULES, type RuleCode } from '../engine/rules/rules.ts';
import type { Severity } from '../engine/rules/types.ts';

/** How much is done for WebAssembly text: `auto` leaves to another language server what it does. */
export type WatSupport = 'auto' | 'on' | 'off';

/** The settings, each with a value. A setting that is not understood counts as not made. */
export interface Settings {
  /** What rules weigh, where not as by default. */
  readonly severities: ReadonlyMap<string, Severity | 'off'>;
  /** `NAME@VERSION` or a file of a trusted workspace, for modules that no project speaks of. */
  readonly whitelist: string;
  readonly wat: WatSupport;
  readonly inlayHints: boolean;
  readonly codeLenses: boolean;
}

export const DEFAULT_SETTINGS: Settings = Object.freeze({
  severities: new Map(),
  whitelist: 'mashin@1',
  wat: 'auto',
  inlayHints: true,
  codeLenses: true,
});

const severity = z.enum(['error', 'warning', 'info', 'off']);
const CODES: ReadonlySet<string> = new Set<RuleCode>(RULES.map(({ code }) => code));

/** Reads the section `touchstone` of a client's settings. Never throws. */
export function readSettings(section: unknown): Settings {
  const given = z.record(z.string(), z.unknown()).safeParse(section).data ?? {};
  const severities = z.record(z.string(), z.unknown()).safeParse(given.severities).data ?? {};
  const { whitelist, wat, inlayHints, codeLenses } = DEFAULT_SETTINGS;
  return {
    severities: new Map(
      Object.entries(severities).flatMap(([code, value]) => {
        const { data } = severity.safeParse(value);
        return data !== undefined && CODES.has(code) ? [[code, data] as const] : [];
      }),
    ),
    whitelist: z.string().min(1).max(4096).safeParse(given.whitelist).data ?? whitelist,
    wat: z.enum(['auto', 'on', 'off']).safeParse(given.wat).data ?? wat,
    inlayHints: z.boolean().safeParse(given.inlayHints).data ?? inlayHints,
    codeLenses: z.boolean().safeParse(given.codeLenses).data ?? codeLenses,
  };
}
