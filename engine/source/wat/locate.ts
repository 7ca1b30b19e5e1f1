// From what a reader says of the assembled module back to the text: an assembler keeps the order of
// imports, of functions, and of the instructions in a function. All offsets are UTF-16 units.

import type { ModuleReport } from '../../module/types.ts';
import type { TextRange } from '../../project/json-document.ts';
import type { WatDocument } from './document.ts';
import { Scanner, TOKEN } from './scanner.ts';

/** The word `module`, or the first character of the text: for what is about all of it. */
export function moduleHead({ moduleKeyword, text }: WatDocument): TextRange {
  return moduleKeyword ?? { offset: 0, length: Math.min(1, text.length) };
}

/** Where the name of an export is written, in a field of its own or inline. */
export function locateExport(document: WatDocument, name: string): TextRange | undefined {
  for (const { exports } of document.fields) {
    for (const each of exports) if (each.name === name) return each.mark;
  }
  return undefined;
}

/** The first use of a function in another one, by their indices: a call or a reference. */
export function locateCall(
  document: WatDocument,
  caller: number,
  callee: number,
): TextRange | undefined {
  const [from, to] = [caller, callee].map((index) => document.fieldOf('function', index));
  if (from === undefined || to === undefined) return undefined;
  const end = from.range.offset + from.range.length;
  return document
    .referencesOf(to)
    .find(({ range }) => range.offset >= from.range.offset && range.offset < end)?.range;
}

/**
 * The word of an instruction whose byte offset a finding names. `undefined` where the report lists
 * no instruction there as nondeterministic, or the text does not hold it.
 * @param report of the module that the text assembles to.
 */
export function locateNondeterministic(
  document: WatDocument,
  report: Pick<ModuleReport, 'nondeterministic'>,
  offset: number,
): TextRange | undefined {
  const found = report.nondeterministic.find((each) => each.offset === offset);
  if (found === undefined) return undefined;
  const { functionIndex } = found;
  const instruction = wordOf(found.instruction);
  // The list is in the order of the module, and leaves out none before its end.
  const before = report.nondeterministic.filter(
    (each) =>
      each.functionIndex === functionIndex &&
      wordOf(each.instruction) === instruction &&
      each.offset < offset,
  );
  return locateInstruction(document, functionIndex, instruction, before.length);
}

/** Reports name the vector loads that change their values' width as an early draft of SIMD did. */
function wordOf(instruction: string): string {
  const [, widening] = /^i\d+x\d+\.(load\d+x\d+_[su])$/.exec(instruction) ?? [];
  if (widening !== undefined) return `v128.${widening}`;
  const [, width] = /^v(\d+)x\d+\.load_splat$/.exec(instruction) ?? [];
  return width === undefined ? instruction : `v128.load${width}_splat`;
}

/**
 * The word of an instruction in the text of a function.
 * @param occurrence how many of its kind come before it in the function's code.
 */
export function locateInstruction(
  document: WatDocument,
  functionIndex: number,
  instruction: string,
  occurrence: number,
): TextRange | undefined {
  const field = document.fieldOf('function', functionIndex);
  if (field === undefined) return undefined;
  const { offset, length } = field.range;
  const scanner = new Scanner(document.text, offset, offset + length);
  let left = occurrence;
  // What the groups begin with that are open: the instruction's own place, or -1 for another word.
  const open: number[] = [];
  for (let before: number = TOKEN.end; scanner.next() !== TOKEN.end; before = scanner.kind) {
    let reached = -1;
    if (scanner.kind === TOKEN.open) {
      open.push(-1);
    } else if (scanner.kind === TOKEN.close) {
      // A folded instruction comes after its operands, where its group ends.
      reached = open.pop() ?? -1;
    } else if (scanner.is(instruction)) {
      if (before === TOKEN.open) open[open.length - 1] = scanner.start;
      else reached = scanner.start;
    }
    if (reached >= 0 && left-- === 0) return { offset: reached, length: instruction.length };
  }
  return undefined;
}
