// Directives of `go doc compile` (Go 1.24) and of TinyGo's reference, build constraints of `go help
// buildconstraint`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readGo } from '../../../engine/source/go.ts';
import { MAX_SOURCE_LENGTH } from '../../../engine/source/syntax.ts';
import {
  anyName,
  declared,
  holdsForAnyText,
  imports,
  listed,
  reimported,
  removed,
  retyped,
} from '../../support/declarations.ts';
import { grammars } from '../../support/grammars.ts';

const parser = await grammars.parser('go');
const read = (text: string) => readGo(parser, text);

/** An executor with imports of each kind. */
const EXECUTOR = `// Copyright 𝒳

//go:build wasm

package main

import "unsafe"

// getInputLen is the byte length of the input.
//
//go:wasmimport mashin get_input_len
//go:noescape
func getInputLen() int32

//go:wasmimport mashin http_request
func httpRequest(ptr unsafe.Pointer, size uint32)

//go:wasmimport mashin log
func log(level int64, text string)

//go:wasmimport wasi_snapshot_preview1 random_get
func randomGet(buf *byte, size uint32) (errno uint32)

//export emit
func emit(ptr, size uintptr) bool

// go:wasmimport mashin remark
func remark()

/*
//go:wasmimport mashin commented_out
func commentedOut()
*/

//export plan
func plan() int32 {
	text := \`
//go:wasmimport mashin in_a_string
func inAString()
\`
	return getInputLen() + int32(len(text))
}
`;

test('pure, directive, impure and mistyped imports are read, commented-out ones are not', () => {
  assert.deepEqual(imports(read(EXECUTOR)), [
    'mashin.get_input_len () -> i32',
    'mashin.http_request (i32, i32) -> ()',
    'mashin.log (i64, i32, i32) -> ()',
    'wasi_snapshot_preview1.random_get (i32, i32) -> i32',
    'env.emit (i32, i32) -> i32',
  ]);
});

test('a declaration knows its place, in UTF-16 units behind characters of two', () => {
  const { mark, range } = declared(read, EXECUTOR, 'getInputLen');
  assert.equal(EXECUTOR.slice(mark.offset, mark.offset + mark.length), 'get_input_len');
  assert.equal(
    EXECUTOR.slice(range.offset, range.offset + range.length),
    `// getInputLen is the byte length of the input.
//
//go:wasmimport mashin get_input_len
//go:noescape
func getInputLen() int32`,
  );
});

test('only a directive on lines of its own, with all its words and no more, imports', () => {
  const isRead = (above: string) => read(`package p\n${above}func f()\n`).length === 1;
  for (const above of [
    '//go:wasmimport m n\n',
    '//go:wasmimport  m\tn \r\n',
    '//go:wasmimport m n\n\n',
    '//go:wasmimport m n\n\n// Docs.\n\n// More.\n',
    '\t//go:wasmimport m n\n',
    '//go:export n\n',
    '//export n\n// Docs.\n',
    '//export n\n//go:wasm-module m\n',
  ]) {
    assert.ok(isRead(above), JSON.stringify(above));
  }
  for (const above of [
    '// go:wasmimport m n\n',
    '//go:wasmimport m\n',
    '//go:wasmimport m n o\n',
    '/*go:wasmimport m n*/\n',
    'var x int //go:wasmimport m n\n',
    '//go:wasmimport m n\nvar x int\n',
    '//export n\n\n',
    '// export n\n',
    '//export\n',
    '//export n o\n',
    '//exported n\n',
    '//go:wasm-module m\n',
    '//go:linkname f other.f\n',
    '//export n\n//go:wasmexport n\n',
    '',
  ]) {
    assert.ok(!isRead(above), JSON.stringify(above));
  }
});

test('functions with bodies, methods and functions of any type are no imports', () => {
  const above = 'package p\n//go:wasmimport m n\n';
  assert.equal(read(`${above}func f() {}\n`).length, 0);
  assert.equal(read(`${above}func (t *T) f()\n`).length, 0);
  assert.equal(read(`${above}func f[T any](x T)\n`).length, 0);
});

test('the last wasmimport counts, and goes before export; wasm-module names its module', () => {
  const above = (lines: string) => imports(read(`package p\n${lines}\nfunc f()\n`));
  assert.deepEqual(above('//go:wasmimport a b\n//go:wasmimport m n'), ['m.n () -> ()']);
  assert.deepEqual(above('//export x\n//go:wasmimport m n'), ['m.n () -> ()']);
  assert.deepEqual(above('//go:wasm-module m\n//export n'), ['m.n () -> ()']);
});

test('a file that no build for WebAssembly compiles has none', () => {
  const isRead = (head: string) =>
    read(`${head}\npackage p\n\n//go:wasmimport m n\nfunc f()\n`).length === 1;
  for (const head of [
    '//go:build wasm',
    '//go:build js || wasip1',
    '//go:build wasip1 && !js',
    '//go:build tinygo',
    '//go:build !tinygo && wasm',
    '//go:build (linux || wasm) && !cgo',
    '//go:build !(linux || windows)',
    '//go:build go1.21',
    '//go:build !amd64',
    '//go:build (((',
    '// +build wasm linux',
    '// +build !linux,js',
    '//go:build wasm\n// +build linux',
    '// //go:build linux',
    '/*\n//go:build linux\n*/',
  ]) {
    assert.ok(isRead(head), head);
  }
  for (const head of [
    '//go:build linux',
    '//go:build !wasm',
    '//go:build amd64 || arm64',
    '//go:build wasm && windows',
    '//go:build !(js || wasm)',
    '// Copyright\n\n//go:build unix\n',
    '// +build linux darwin',
    '// +build wasm\n// +build !wasm',
    '// +build linux,wasm',
  ]) {
    assert.ok(!isRead(head), head);
  }
  assert.equal(read('package p\n//go:build linux\n//go:wasmimport m n\nfunc f()\n').length, 1);
});

test('types become what Go and TinyGo pass to the host', () => {
  const typeOf = (signature: string, module = 'm') =>
    read(`package p\n//go:wasmimport ${module} n\nfunc f${signature}\n`)[0]?.type;
  for (const [signature, type] of [
    ['(a int32, b uint32, c bool, d uintptr)', '(i32, i32, i32, i32) -> ()'],
    ['(a, b int64, c uint64) uint64', '(i64, i64, i64) -> i64'],
    ['(float32, float64) float64', '(f32, f64) -> f64'],
    ['(a unsafe.Pointer, b *byte, c *T) *T', '(i32, i32, i32) -> i32'],
    ['(a string, b int32)', '(i32, i32, i32) -> ()'],
    [
      '(a int8, b uint8, c byte, d int16, e uint16, f rune) rune',
      '(i32, i32, i32, i32, i32, i32) -> i32',
    ],
    ['(a int, b uint) int', '(i32, i32) -> i32'],
    ['() (n int32)', '() -> i32'],
    ['() ()', '() -> ()'],
    ['(\n\ta int32, // note\n\tb int32,\n)', '(i32, i32) -> ()'],
  ] as const) {
    assert.equal(typeOf(signature), type, signature);
  }
  for (const unknown of [
    '(a Level)',
    '(a []byte)',
    '(a func())',
    '(a any)',
    '(a ...int32)',
    '(a [4]byte)',
    '() error',
    '() string',
    '() (a, b int32)',
    '() (int32, int32)',
  ]) {
    assert.equal(typeOf(unknown), undefined, unknown);
  }
  // Go hands its own module the stack pointer, whatever the parameters.
  assert.equal(typeOf('(a int64)', 'gojs'), undefined);
});

test('a text that is broken in one place keeps its other declarations', () => {
  const text = `${EXECUTOR}\nfunc half( {\n\tx := \n`;
  assert.equal(read(text).length, 5);
  const inside = 'package p\n//go:wasmimport m bad\nfunc bad(a int32\n\ntype T struct{}\n';
  const [bad] = read(`${inside}//go:wasmimport m good\nfunc good()\n`);
  assert.equal(bad?.name, 'bad');
  assert.equal(bad?.removed(), undefined);
});

test('importing another function changes the words of the directive only', () => {
  const changed = reimported(read, EXECUTOR, 'randomGet', { module: 'mashin', name: 'now' });
  assert.match(changed, /\n\/\/go:wasmimport mashin now\nfunc randomGet\(buf \*byte/);
  const exported = reimported(read, EXECUTOR, 'emit', { module: 'env', name: 'send' });
  assert.match(exported, /\n\n\/\/export send\nfunc emit/);
  const moved = reimported(read, EXECUTOR, 'emit', { module: 'mashin', name: 'emit' });
  assert.match(moved, /\n\n\/\/go:wasm-module mashin\n\/\/export emit\nfunc emit/);
  assert.match(
    reimported(read, moved, 'emit', { module: 'm', name: 'n' }),
    /\/\/go:wasm-module m\n\/\/export n\n/,
  );
});

test('any name survives the way into the source and back, or is refused', () => {
  fc.assert(
    fc.property(anyName, anyName, fc.constantFrom('log', 'emit'), (module, name, own) => {
      const target = { module, name };
      if (declared(read, EXECUTOR, own).importing(target) !== undefined) {
        reimported(read, EXECUTOR, own, target);
      } else {
        // Nothing is quoted in a directive.
        assert.ok([module, name].some((n) => n === '' || /[\s\p{C}\p{Z}]/u.test(n)));
      }
    }),
    { numRuns: 300 },
  );
});

test('a type that is given keeps names, and spellings that are right already', () => {
  const ints = listed(['i32', 'i32', 'i32'], []);
  assert.match(
    retyped(read, EXECUTOR, 'log', ints, '(i32, i32, i32) -> ()'),
    /func log\(level int32, text string\)\n/,
  );
  assert.match(
    retyped(read, EXECUTOR, 'randomGet', listed(['i64', 'i32'], []), '(i64, i32) -> ()'),
    /func randomGet\(buf int64, size uint32\)\n/,
  );
  assert.match(
    retyped(
      read,
      EXECUTOR,
      'emit',
      listed(['i32', 'f32', 'f64'], ['i64']),
      '(i32, f32, f64) -> i64',
    ),
    /func emit\(ptr uintptr, size float32, arg2 float64\) int64\n/,
  );
  const nameless = 'package p\n//go:wasmimport m n\nfunc f(int32, bool) (ok bool)\n';
  assert.match(
    retyped(read, nameless, 'f', listed(['i32', 'i64'], ['i32']), '(i32, i64) -> i32'),
    /func f\(int32, int64\) \(ok bool\)\n/,
  );
  const log = declared(read, EXECUTOR, 'log');
  assert.equal(log.typedAs(listed([], ['i32', 'i32'])), undefined);
  assert.equal(log.typedAs(listed(['externref'], [])), undefined);
});

test('a declaration is removed with its comments and its lines', () => {
  assert.match(
    removed(read, EXECUTOR, 'getInputLen'),
    /import "unsafe"\n\n\n\/\/go:wasmimport mashin http_request\n/,
  );
  assert.match(removed(read, EXECUTOR, 'emit'), /\(errno uint32\)\n\n\n\/\/ go:wasmimport/);
});

test('a text that is too long, or nested too deep for recursion, is no trouble', () => {
  const one = 'package p\n//go:wasmimport m n\nfunc f()\n';
  assert.equal(read(one + ' '.repeat(MAX_SOURCE_LENGTH - one.length)).length, 1);
  assert.equal(read(one + ' '.repeat(MAX_SOURCE_LENGTH)).length, 0);
  for (const piece of ['(', '{', '[', 'func(', '`', '/**/', '//\n', '//go:wasmimport m n\n']) {
    const deep = piece.repeat(100_000 / piece.length);
    assert.ok(read(`${one}${deep}`).length <= 1, piece);
    read(`${deep}${one}`);
  }
  const constraint = `//go:build ${'('.repeat(500_000)}linux\n${one}`;
  assert.equal(read(constraint).length, 1);
});

test('no text makes the reader fail', () => {
  holdsForAnyText(
    read,
    [EXECUTOR, 'package p\n//go:wasm-module m\n//export n\nfunc f(a, b int32) (c bool)\n'],
    [
      ...['package p\n', 'func', 'f', '()', 'a int32', '\n//go:wasmimport m n\n', '\n//export n\n'],
      ...['\n//go:build wasm\n', '//', '/*', '*/', '`', 'string', '...', '*byte', 'func f()\n'],
    ],
  );
});
