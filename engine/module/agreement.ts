import { InputError } from '../encoding/input-error.ts';
import type { ModuleReport } from './types.ts';

/**
 * The rule of DESIGN 3: all readers that read must agree, import by import.
 * @throws {InputError} `reader-disagreement`, saying which import and what each reader says.
 */
export function requireAgreement(report: Pick<ModuleReport, 'readers'>): void {
  for (const opinion of report.readers) {
    if (opinion.outcome !== 'disagrees') continue;
    throw new InputError('reader-disagreement', `readers disagree on ${opinion.detail}`);
  }
}

/**
 * How many of the certifier's readers (walker, wasmparser, webassemblyjs) read the imports and
 * agree. V8 is not counted: it joins when the module is compiled, and certifying compiles nothing.
 */
export function countAgreeing(report: Pick<ModuleReport, 'readers'>): number {
  return report.readers.filter(({ reader, outcome }) => reader !== 'v8' && outcome === 'agrees')
    .length;
}
