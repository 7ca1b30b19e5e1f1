import { Cursor } from '../module/cursor.ts';
import { SECTION } from '../module/sections.ts';
import { readDeclarations } from './declarations.ts';
import { InstructionReader } from './instruction-reader.ts';
import { F32, F64, I32, I64, readValueType } from './value-types.ts';

const NUMBERS: ReadonlySet<number> = new Set([I32, I64, F32, F64]);
const GC_PREFIX = 0xfb;

/** Instructions that change what is neither memory nor a global. */
const UNSAVED: ReadonlyMap<number, string> = new Map([
  [0x26, 'table.set'],
  [0xfc_0009, 'data.drop'],
  [0xfc_000c, 'table.init'],
  [0xfc_000d, 'elem.drop'],
  [0xfc_000e, 'table.copy'],
  [0xfc_000f, 'table.grow'],
  [0xfc_0011, 'table.fill'],
]);

/**
 * Why the state of a module cannot be saved and restored, for a person; `undefined` where its memory
 * and its mutable globals are all that a run can change.
 * @param bytes a module that V8 accepts.
 * @throws {InputError} `invalid-module` for what this version does not know.
 */
export function unsaveable(bytes: Uint8Array): string | undefined {
  const { memories, importedMemories, globals, sections } = readDeclarations(bytes);
  const [memory] = memories;
  if (memory === undefined || memories.length !== 1 || importedMemories !== 0) {
    return `it has ${memories.length} memories where one of its own is saved`;
  }
  if (memory.address !== 'i32') return 'its memory has addresses of 64 bits';
  if (memory.shared) return 'its memory is shared';
  const other = globals.findIndex(
    ({ mutable, type }) => mutable && !(type.length === 1 && NUMBERS.has(type[0] ?? 0)),
  );
  if (other >= 0) return `its mutable global ${other} is a vector or a reference`;
  const code = sections.find(({ id }) => id === SECTION.code);
  return code && unsavedInstruction(bytes, code.offset, code.offset + code.size);
}

function unsavedInstruction(bytes: Uint8Array, start: number, end: number): string | undefined {
  const cursor = new Cursor(bytes, start, end);
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
    const size = cursor.u32();
    const body = new Cursor(bytes, cursor.position, cursor.position + size);
    cursor.skip(size);
    cursor.expectOk('the code section');
    for (let groups = body.u32(); groups > 0 && body.ok; groups--) {
      body.skipNumber();
      readValueType(body);
    }
    body.expectOk('the locals of a function');
    const reader = new InstructionReader(bytes, body.position, body.limit);
    while (reader.next()) {
      const name =
        reader.code >>> 16 === GC_PREFIX ? 'an instruction of GC' : UNSAVED.get(reader.code);
      if (name !== undefined) {
        return `${name} at byte ${reader.start} changes what is neither memory nor a global`;
      }
    }
  }
  return undefined;
}
