import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { readLayout } from '../../../engine/module/walker.ts';
import { flipBit, leb, moduleOf, PREAMBLE, section, text } from '../../support/bytes.ts';
import { assemble } from '../../support/wat.ts';

const show = (bytes: Uint8Array) =>
  readLayout(bytes).imports.map((e) => `${e.module}.${e.name} ${e.kind} ${e.type}`);

const name = (value: string) => [...text('m'), ...text(value)];

function refuses(bytes: Uint8Array, message: RegExp, offset?: number): void {
  assert.throws(
    () => readLayout(bytes),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      if (offset !== undefined) assert.equal(error.offset, offset);
      return true;
    },
  );
}

describe('the walker reads', () => {
  test('imports of every kind with their whole types', () => {
    const bytes = assemble(`(module
      (import "a" "f" (func (param i32 i64) (result f32)))
      (import "a" "g" (func (result i32 i32)))
      (import "a" "h" (func (param v128 funcref externref)))
      (import "a" "t" (table 1 10 funcref))
      (import "a" "u" (table 2 externref))
      (import "a" "m" (memory 1))
      (import "a" "n" (memory 1 16 shared))
      (import "a" "o" (memory i64 1 16))
      (import "a" "x" (global i32))
      (import "a" "y" (global (mut f64)))
      (import "a" "e" (tag (param i32))))`);
    assert.deepEqual(show(bytes), [
      'a.f function (i32, i64) -> f32',
      'a.g function () -> (i32, i32)',
      'a.h function (v128, funcref, externref) -> ()',
      'a.t table i32 1 10 funcref',
      'a.u table i32 2 externref',
      'a.m memory i32 1',
      'a.n memory i32 1 16 shared',
      'a.o memory i64 1 16',
      'a.x global i32',
      'a.y global mut f64',
      'a.e tag (i32) -> ()',
    ]);
  });

  test('each import at the byte where it begins', () => {
    const bytes = assemble(`(module (import "mod" "one" (func)) (import "mod" "two" (func)))`);
    for (const { offset, name } of readLayout(bytes).imports) {
      const at = new TextDecoder().decode(bytes.subarray(offset + 5, offset + 8));
      assert.equal(at, name);
      assert.equal(bytes[offset], 3);
    }
  });

  test('sections with names, offsets and sizes in file order', () => {
    const bytes = moduleOf(section(1, [0]), section(0, [...text('mine'), 1, 2, 3]));
    assert.deepEqual(readLayout(bytes).sections, [
      { id: 1, name: 'type', offset: 10, size: 1 },
      { id: 0, name: 'mine', offset: 13, size: 8 },
    ]);
  });

  test('types of garbage-collected languages on the way to the imports', () => {
    const types = [
      5,
      ...[0x60, 1, 0x7f, 0], // 0: (i32) -> ()
      ...[0x4e, 2], // two recursive types
      ...[0x50, 0, 0x5f, 2, 0x78, 1, 0x63, 2, 0], // 1: struct { mut i8, (ref null 2) }
      ...[0x4f, 1, 1, 0x5e, 0x64, 1, 1], // 2: sub final 1 array (mut (ref 1))
      ...[0x60, 1, 0x64, 0x71, 1, 0x63, 1], // 3: ((ref none)) -> (ref null 1)
      ...[0x60, 0, 1, 0x6c], // 4: () -> i31ref
      ...[0x60, 0, 0], // 5
    ];
    const bytes = moduleOf(
      section(1, types),
      section(2, [2, ...text('gc'), ...text('f'), 0, 3, ...text('gc'), ...text('g'), 0, 4]),
    );
    assert.deepEqual(show(bytes), [
      'gc.f function ((ref none)) -> (ref null 1)',
      'gc.g function () -> i31ref',
    ]);
    refuses(
      moduleOf(section(1, types), section(2, [1, ...text('gc'), ...text('f'), 0, 1])),
      /type 1 is not a function type/,
    );
  });

  test('a reference type in its long and its short encoding as the same type', () => {
    for (const [heap, shown] of [
      [0x70, 'funcref'],
      [0x6f, 'externref'],
      [0x6e, 'anyref'],
      [0x71, 'nullref'],
      [0x69, 'exnref'],
    ] as const) {
      const types = [2, 0x60, 1, heap, 0, 0x60, 1, 0x63, heap, 0];
      const bytes = moduleOf(
        section(1, types),
        section(2, [2, ...name('f'), 0, 0, ...name('g'), 0, 1]),
      );
      const type = `function (${shown}) -> ()`;
      assert.deepEqual(show(bytes), [`m.f ${type}`, `m.g ${type}`]);
    }
  });

  test('names apart that differ by a byte-order mark or a zero byte', () => {
    const entry = (name: string) => [...text('m'), ...text(name), 0, 0];
    const bytes = moduleOf(
      section(1, [1, 0x60, 0, 0]),
      section(2, [3, ...entry('f'), ...entry('\ufefff'), ...entry('f\0')]),
    );
    assert.deepEqual(
      readLayout(bytes).imports.map((e) => e.name),
      ['f', '\ufefff', 'f\0'],
    );
  });
});

describe('the walker refuses', () => {
  const type = section(1, [1, 0x60, 0, 0]);
  const importing = (body: readonly number[]) => moduleOf(type, section(2, body));

  test('what is no module, by what it is', () => {
    refuses(new Uint8Array(0), /the file is empty/, 0);
    refuses(
      Uint8Array.from(PREAMBLE.slice(0, 3)),
      /expected 00 61 73 6d, found 00 61 73, at byte 0/,
    );
    refuses(Uint8Array.from(PREAMBLE.slice(0, 7)), /ends within its preamble/, 7);
    refuses(new TextEncoder().encode('#!/bin/sh\n'), /expected 00 61 73 6d, found 23 21 2f 62/, 0);
    refuses(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), /expected version 01 00 00 00/, 4);
    refuses(
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
      /a component, not a core module \(layer 1 at byte 6\)/,
      6,
    );
  });

  test('two import sections, sections out of order, unknown sections', () => {
    const two = moduleOf(type, section(2, [0]), section(2, [0]));
    refuses(two, /the import section is repeated or out of order/, 17);
    refuses(moduleOf(section(2, [0]), type), /the type section is repeated or out of order/);
    refuses(moduleOf(section(14, [0])), /unknown section id 14/, 8);
  });

  test('a section that claims more bytes than there are, or leaves some over', () => {
    refuses(moduleOf([1, 100]), /section 1 claims 100 bytes, 0 are left/);
    refuses(importing([0, 0]), /1 bytes are left over after the import section/);
  });

  test('counts that claim gigabytes, without allocating them', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for (const id of [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13]) {
      refuses(moduleOf(section(id, huge)), /claims 4294967295 entries, 0 bytes are left/);
    }
    refuses(moduleOf(section(1, [1, 0x60, ...huge])), /a list of types claims 4294967295/);
    refuses(importing([1, ...huge]), /an import module name claims 4294967295 bytes/);
  });

  test('integers in a longer form than the specification allows, or with spare bits', () => {
    refuses(importing([0x81, 0x80, 0x80, 0x80, 0x80, 0x00]), /not an unsigned LEB128/);
    refuses(importing([0x81, 0x80, 0x80, 0x80, 0x10]), /not an unsigned LEB128/);
    const padded = importing([0x81, 0x80, 0x80, 0x80, 0x00, ...text('m'), ...text('f'), 0, 0]);
    assert.deepEqual(show(padded), ['m.f function () -> ()']);
  });

  test('names that are not UTF-8', () => {
    for (const name of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      refuses(
        importing([1, name.length, ...name, ...text('f'), 0, 0]),
        /an import module name is not valid UTF-8/,
      );
    }
  });

  test('unknown kinds, types, limits and mutabilities', () => {
    const f = [...text('m'), ...text('f')];
    refuses(importing([1, ...f, 5, 0]), /unknown kind of import 0x5/);
    refuses(importing([1, ...f, 0x20, 0]), /unknown kind of import 0x20/);
    refuses(importing([1, ...f, 0, 1]), /type 1 is not a function type/);
    refuses(importing([1, ...f, 1, 0x7f, 0, 0]), /expected a reference type, found i32/);
    refuses(importing([1, ...f, 2, 8, 0]), /the limits of a memory has the unknown value 0x8/);
    refuses(importing([1, ...f, 2, 2, 0]), /cannot be shared with these limits/);
    refuses(importing([1, ...f, 3, 0x40, 0]), /unknown value type 0x40/);
    refuses(importing([1, ...f, 3, 0x7f, 2]), /a mutability has the unknown value 0x2/);
    refuses(importing([1, ...f, 4, 1, 0]), /a tag attribute has the unknown value 0x1/);
    refuses(moduleOf(section(1, [1, 0x5d])), /unknown form of type 0x5d/);
  });

  test('functions without bodies and announced data that is missing', () => {
    refuses(moduleOf(type, section(3, [1, 0])), /declares 1 functions and has 0 bodies/);
    refuses(moduleOf(section(12, [1])), /announces 1 data segments and has 0/);
  });
});

describe('the walker and V8', () => {
  const sample = assemble(`(module
    (import "mashin" "get_input_len" (func $len (result i32)))
    (import "env" "memory" (memory 1 4))
    (import "env" "g" (global (mut i64)))
    (table 2 funcref) (elem (i32.const 0) $len $plan)
    (func $plan (export "plan") (drop (call $len)))
    (data (i32.const 0) "data"))`);

  /** Where V8 accepts, the walker must have read the very same imports or have refused. */
  function agree(bytes: Uint8Array): 'read' | 'refused' {
    let mine: string[];
    try {
      mine = readLayout(bytes).imports.map((e) => `${e.module}\0${e.name}\0${e.kind}`);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      return 'refused';
    }
    if (WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) {
      const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
      const theirs = WebAssembly.Module.imports(module);
      assert.deepEqual(
        mine,
        theirs.map((e) => `${e.module}\0${e.name}\0${e.kind}`),
      );
    }
    return 'read';
  }

  test('agree on every single-bit flip of a module', () => {
    for (let bit = 0; bit < sample.length * 8; bit++) agree(flipBit(sample, bit));
  });

  test('agree on every truncation, and none is read that V8 refuses for its layout', () => {
    for (let length = 0; length < sample.length; length++) {
      const cut = sample.slice(0, length);
      if (agree(cut) === 'read') {
        assert.ok(WebAssembly.validate(cut), `cut at ${length}`);
      }
    }
  });

  test('agree on random edits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (edits) => {
          const bytes = sample.slice();
          for (const [at, value] of edits) bytes[at] = value;
          agree(bytes);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('random bytes behind a preamble never do more than refuse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        agree(Uint8Array.from([...PREAMBLE, ...tail]));
      }),
      { numRuns: 5000 },
    );
  });
});

test('an import section of ten thousand imports is read in one pass', () => {
  const entries = Array.from({ length: 10_000 }, (_, i) => [...text('m'), ...text(`f${i}`), 0, 0]);
  const bytes = moduleOf(
    section(1, [1, 0x60, 0, 0]),
    section(2, [...leb(entries.length), ...entries.flat()]),
  );
  assert.equal(readLayout(bytes).imports.length, 10_000);
});
