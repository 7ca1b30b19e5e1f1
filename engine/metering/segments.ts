import { skipConstantExpression } from '../module/code/operators.ts';
import type { Cursor } from '../module/cursor.ts';
import { BY_SIZE } from './costs.ts';
import { readAll } from './section-entries.ts';
import { readValueType } from './value-types.ts';

/** What instantiating copies of the element section (5.5.12), in units of fuel. */
export function elementFuel(section: Cursor | undefined): number {
  return sum(readAll(section, elementSegment));
}

/** The same of the data section (5.5.14). */
export function dataFuel(section: Cursor | undefined): number {
  return sum(readAll(section, dataSegment));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Bit 0 passive or declared, bit 1 a table or a kind, bit 2 expressions. @returns its fuel. */
function elementSegment(cursor: Cursor): number {
  const flags = cursor.u32();
  const active = (flags & 1) === 0;
  if (active) {
    if ((flags & 2) !== 0) cursor.skipNumber();
    skipConstantExpression(cursor);
  }
  const expressions = (flags & 4) !== 0;
  if ((flags & 3) !== 0) {
    if (expressions) readValueType(cursor);
    else cursor.skip(1);
  }
  const count = cursor.u32();
  for (let left = count; left > 0 && cursor.ok; left--) {
    if (expressions) skipConstantExpression(cursor);
    else cursor.skipNumber();
  }
  return active ? count * BY_SIZE.segmentElement : 0;
}

/** Bit 0 passive, bit 1 a memory. @returns its fuel. */
function dataSegment(cursor: Cursor): number {
  const flags = cursor.u32();
  const active = flags !== 1;
  if (flags === 2) cursor.skipNumber();
  if (active) skipConstantExpression(cursor);
  const size = cursor.u32();
  cursor.skip(size);
  return active ? size >>> BY_SIZE.dataShift : 0;
}
