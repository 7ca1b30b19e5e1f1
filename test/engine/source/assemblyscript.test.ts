// What asc 0.28 makes of AssemblyScript: each form below was compiled, and the imports of the module
// compared with what is expected here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAssemblyScript } from '../../../engine/source/assemblyscript.ts';
import { MAX_SOURCE_LENGTH } from '../../../engine/source/syntax.ts';
import {
  anyName,
  declared,
  edited,
  holdsForAnyText,
  imports,
  listed,
  reimported,
  removed,
  retyped,
} from '../../support/declarations.ts';
import { grammars } from '../../support/grammars.ts';

const parser = await grammars.parser('assemblyscript');
const read = (text: string) => readAssemblyScript(parser, text, 'assembly/index.ts');
const line = (text: string) => imports(read(text)).join('; ');

/** An executor with imports of each kind. */
const EXECUTOR = `// An executor. 𝒳
@external("mashin", "get_input_len")
declare function get_input_len(): i32;

@external("mashin", "get_input") declare function get_input(ptr: usize): void;

/** Sends a request. */
@external("mashin", "http_request")
export declare function request(json: usize, len: i32): void;

@external("mashin", "log")
declare function log(level: i64, text: usize, len: i32): void;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, iovs: usize, count: usize, written: usize): i32;

// @external("mashin", "commented_out") declare function commented_out(): void;
/* @external("mashin", "commented_out_too")
declare function commented_out_too(): void; */
const text = '@external("m", "s") declare function in_a_string(): void;';
const template = \`
declare function in_a_template(): void;
\`;

export function plan(): void {
  request(changetype<usize>(text), get_input_len());
}
`;

test('pure, directive, mistyped and impure imports are read, commented-out ones are not', () => {
  assert.deepEqual(imports(read(EXECUTOR)), [
    'mashin.get_input_len () -> i32',
    'mashin.get_input (i32) -> ()',
    'mashin.http_request (i32, i32) -> ()',
    'mashin.log (i64, i32, i32) -> ()',
    'wasi_snapshot_preview1.fd_write (i32, i32, i32, i32) -> i32',
  ]);
});

test('the module that executors in AssemblyScript share is read', () => {
  const file = new URL('../../../examples/sdk/assemblyscript/mashin.ts', import.meta.url);
  assert.deepEqual(imports(read(readFileSync(file, 'utf8'))), [
    'mashin.get_input_len () -> i32',
    'mashin.get_input (i32) -> ()',
    'mashin.set_output (i32, i32) -> ()',
    'mashin.context_len (i32, i32) -> i32',
    'mashin.context_read (i32, i32, i32) -> i32',
    'mashin.call_machine (i32, i32) -> ()',
  ]);
});

test('a declaration knows its place, in UTF-16 units behind characters of two', () => {
  const { range, mark } = declared(read, EXECUTOR, 'request');
  const pieces = [range, mark].map(({ offset, length }) => EXECUTOR.slice(offset, offset + length));
  assert.deepEqual(pieces, [
    '@external("mashin", "http_request")\nexport declare function request(json: usize, len: i32): void;',
    '"http_request"',
  ]);
  const plain = 'declare function f(): void';
  assert.deepEqual(declared(read, plain, 'f').mark, { offset: 17, length: 1 });
});

/** Functions, compiled as `index.ts`. */
const FUNCTIONS: readonly (readonly [string, string])[] = [
  ['declare function f(): i64;', 'index.f () -> i64'],
  ['export declare function f(): void', 'index.f () -> ()'],
  ['@external("n") declare function f(): void;', 'index.n () -> ()'],
  ['@external("m", "n") declare function f(): void;', 'm.n () -> ()'],
  ["@external('m', 'a\\'b\\/c') declare function f(): void;", "m.a'b/c () -> ()"],
  [
    '@external("", "a\\x41\\u0042\\u{1F600}\\t") declare function f(): void;',
    '.aAB\u{1F600}\t () -> ()',
  ],
  ['@external ("m" , /* c */ "n" ,) // d\ndeclare\nfunction f ( ) : void ;', 'm.n () -> ()'],
  ['@external("m", "n")\n/** doc */ export /* e */ declare function f(): void;', 'm.n () -> ()'],
  ['@unsafe @external("m", "n") declare function f(): void;', 'm.n () -> ()'],
  ['@external("m", "n") @unsafe declare function f(): void;', 'm.n () -> ()'],
  ['@external.js("return 1") declare function f(): i32;', 'index.f () -> i32'],
  ['@external.js("return 1") @external("m", "n") declare function f(): i32;', 'm.n () -> i32'],
  // A decorator that asc does not know changes nothing.
  ['@intrinsic declare function f(): i32;', 'index.f () -> i32'],
  ['namespace ns { export declare function f(): void; }', 'index.ns.f () -> ()'],
  ['namespace ns { @external("n") export declare function f(): void; }', 'index.n () -> ()'],
  ['declare namespace ns { function f(): i32; }', 'index.ns.f () -> i32'],
  [
    'declare namespace a { namespace b { @external("m", "n") function f(): i32; } }',
    'm.n () -> i32',
  ],
  ['declare class C { static f(a: i32): void; }', 'index.C.f (i32) -> ()'],
  ['declare class C { f(a: i64): void; }', 'index.C#f (i32, i64) -> ()'],
  ['declare class C { @external("m", "n") static f(a: i32): void; }', 'm.n (i32) -> ()'],
  ['declare class C { get f(): f64; }', 'index.C#get:f (i32) -> f64'],
];

test('functions are read in every form and place', () => {
  for (const [text, expected] of FUNCTIONS) assert.equal(line(text), expected, text);
});

test('a file name makes the module, without its folders and its ending', () => {
  for (const [fileName, module] of [
    ['index.ts', 'index'],
    ['assembly/sub/host.ts', 'host'],
    ['assembly\\host.ts', 'host'],
    ['x.y/a.b.ts', 'a.b'],
  ] as const) {
    const [found] = readAssemblyScript(parser, 'declare function f(): void;', fileName);
    assert.equal(found?.module, module, fileName);
  }
});

test('variables are globals', () => {
  const text = `@external("m", "g") declare const a: i32;
@external("h") declare let b: f64;
export declare var c: i64, d: usize;
declare namespace ns { const e: bool; }
declare class C { static readonly s: i32; static t: f32; field: i32; }`;
  assert.deepEqual(imports(read(text)), [
    'm.g i32',
    'index.h mut f64',
    'index.c mut i64',
    'index.d mut i32',
    'index.ns.e i32',
    'index.C.s i32',
    'index.C.t mut f32',
  ]);
  assert.ok(read(text).every(({ kind }) => kind === 'global'));
});

test('what is no import, or does not compile, is not read', () => {
  for (const text of [
    'function f(): void {}',
    '@external("m", "n") function f(): void {}',
    'function f(): void;',
    'declare function f(): i32 { return 1; }',
    '@builtin declare function f(): void;',
    '@external() declare function f(): void;',
    '@external("m", "n", "o") declare function f(): void;',
    '@external(MODULE, "n") declare function f(): void;',
    '@external(`m`, "n") declare function f(): void;',
    '@external("a", "b") @external("c", "d") declare function f(): void;',
    'interface I { f(): void; }',
    'class C { static f(): void {} }',
    'import { f } from "declare";',
    'type F = (a: i32) => void;',
  ]) {
    assert.equal(line(text), '', text);
  }
});

/** Types, as the parameter of a function. */
const TYPES: readonly (readonly [string, string])[] = [
  ...['i8', 'u16', 'i32', 'u32', 'bool', 'boolean', 'usize', 'isize'].map(
    (type) => [type, 'i32'] as const,
  ),
  ['i64', 'i64'],
  ['u64', 'i64'],
  ['f32', 'f32'],
  ['f64', 'f64'],
  ['number', 'f64'],
  ['string', 'i32'],
  ['string | null', 'i32'],
  ['i64[]', 'i32'],
  ['Array<i64>', 'i32'],
  ['StaticArray<u8> | null', 'i32'],
  ['ArrayBuffer', 'i32'],
  ['Map<i32, string>', 'i32'],
  ['(a: i64) => void', 'i32'],
  ['(i64)', 'i64'],
  ['externref', 'externref'],
  ['Word', 'i64'],
  ['Alias', 'i64'],
  ['Hook', 'i32'],
  ['Point', 'i32'],
  ['Point | null', 'i32'],
  ['Shape', 'i32'],
  ['Box<f64>', 'i32'],
  ['Color', 'i32'],
];
const TYPE_NAMES = `type Word = u64; type Alias = Word; type Hook = (a: f64) => void;
class Point { x: i64 = 0; } interface Shape { y: i64; } class Box<T> {} enum Color { RED }
`;

test('types are those of asc for wasm32', () => {
  for (const [type, expected] of TYPES) {
    const text = `${TYPE_NAMES}declare function f(a: ${type}): void;`;
    assert.equal(line(text), `index.f (${expected}) -> ()`, type);
  }
  assert.equal(
    line('declare function f(a: i32, b?: i64, c: f32 = 2, ...d: i64[]): string;'),
    'index.f (i32, i64, f32, i32) -> i32',
  );
  assert.equal(
    line('declare function f(v: v128, r: funcref): v128;'),
    'index.f (v128, funcref) -> v128',
  );
});

test('a type that the text does not tell is not guessed', () => {
  const names = 'import { Other } from "./other"; type A = B; type B = A; type G<T> = T;';
  for (const type of [
    'Other',
    'A',
    'G<i64>',
    'ns.T',
    'i32 | i64',
    'valueof<i64[]>',
    'Unknown<i32>',
  ]) {
    assert.equal(line(`${names} declare function f(a: ${type}): void;`), 'index.f ?', type);
  }
  // Each instance has a name and a type of its own.
  assert.equal(line('declare function f<T>(a: T): void;'), 'index.f<T> ?');
  assert.equal(line('@external("m", "n") declare function f<T>(a: T): void;'), 'm.n ?');
});

test('what stands around something broken is read', () => {
  const good = '@external("m", "n") declare function f(): void;';
  assert.equal(line(`function g(a: i32 { return a; }\n${good}`), 'm.n () -> ()');
  assert.equal(line(`${good}\nfunction g( {\n`), 'm.n () -> ()');
  assert.equal(line(`class C {\n  f(: i32 {}\n}\n${good}`), 'm.n () -> ()');
});

test('another import is written into the decorator, whatever its name', () => {
  const forms = [
    '@external("a", "b") declare function f(a: i32): void;',
    "  @external('b')\n  export declare function f(a: i32): void;",
    'declare function f(a: i32): void;\ndeclare function g(): void;',
    'namespace ns { declare function f(a: i32): void; }',
    'declare class C { static f(a: i32): void; }',
    '@external("a", "b") declare const f: i32;',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...forms), anyName, anyName, (text, module, name) => {
      const isSaid = module.isWellFormed() && name.isWellFormed();
      if (isSaid) reimported(read, text, 'f', { module, name });
      else assert.equal(declared(read, text, 'f').importing({ module, name }), undefined);
    }),
    { numRuns: 150 },
  );
});

test('a decorator is changed as little as it takes, or added on a line of its own', () => {
  const to = (text: string, module: string, name: string) =>
    reimported(read, text, 'f', { module, name });
  assert.equal(
    to('@external( "a", \'b\' ) declare function f(): void;', 'a', 'n'),
    '@external( "a", "n" ) declare function f(): void;',
  );
  assert.equal(
    to('@external("b") declare function f(): void;', 'index', 'n'),
    '@external("n") declare function f(): void;',
  );
  assert.equal(
    to('@external("b") declare function f(): void;', 'm', 'n'),
    '@external("m", "n") declare function f(): void;',
  );
  assert.equal(
    to('namespace ns {\r\n  @unsafe export declare function f(): void;\r\n}', 'm', 'n'),
    'namespace ns {\r\n  @external("m", "n")\r\n  @unsafe export declare function f(): void;\r\n}',
  );
  // It would be the decorator of both.
  const both = 'declare const f: i32, g: i32;';
  assert.equal(declared(read, both, 'f').importing({ module: 'm', name: 'n' }), undefined);
});

test('another type leaves what fits as it is spelled', () => {
  const change = (text: string, ...[params, results]: Parameters<typeof listed>) => {
    const type = `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : '()'}`;
    return retyped(read, text, 'f', listed(params, results), type);
  };
  assert.equal(
    change('declare function f(level: i64, text: usize): void;', ['i32', 'i32'], []),
    'declare function f(level: i32, text: usize): void;',
  );
  assert.equal(
    change('declare function f(arg1: bool): u32', ['i32', 'f64', 'v128'], ['i32']),
    'declare function f(arg1: bool, arg1_: f64, arg2: v128): u32',
  );
  assert.equal(
    change('declare function f(a: i32, b?: i32, c?: i32): string;', ['i32', 'i32', 'i64'], ['f64']),
    'declare function f(a: i32, b: i32, c: i64): f64;',
  );
  assert.equal(
    change('declare function f(a: Unknown, ...b: i32[]): Unknown;', [], []),
    'declare function f(): void;',
  );
  for (const text of [
    'declare const f: i32;',
    'declare class C { f(): i32; }',
    'declare function f<T>(): T;',
  ]) {
    assert.equal(declared(read, text, 'f').typedAs(listed(['i32'], [])), undefined, text);
  }
  const plain = declared(read, 'declare function f(): void;', 'f');
  assert.equal(plain.typedAs(listed([], ['i32', 'i32'])), undefined, 'one result is all there is');
});

test('a removed declaration takes its decorators, its comment and its lines along', () => {
  const left = removed(read, EXECUTOR, 'request');
  assert.ok(!left.includes('Sends a request') && !left.includes('"http_request"'));
  assert.ok(left.includes('(ptr: usize): void;\n\n\n@external("mashin", "log")'));
  const text = 'declare const f: i32, g: i32, h: i32;';
  assert.equal(removed(read, text, 'f'), 'declare const g: i32, h: i32;');
  assert.equal(removed(read, text, 'g'), 'declare const f: i32, h: i32;');
  assert.equal(removed(read, text, 'h'), 'declare const f: i32, g: i32;');
  const all = read(EXECUTOR).flatMap((each) => each.removed() ?? []);
  assert.equal(line(edited(EXECUTOR, all)), '');
});

test('a text past the bound has no declarations', () => {
  const text = 'declare function f(): void;';
  assert.equal(read(text).length, 1);
  assert.equal(read(text + ' '.repeat(MAX_SOURCE_LENGTH)).length, 0);
});

test('hostile nesting is read in bounded time', () => {
  const text = '@external("m", "n") declare function f(): void;\n';
  for (const hostile of [
    `${'('.repeat(50_000)}`,
    `declare function g(a: ${'('.repeat(20_000)}i32${')'.repeat(20_000)}): void;`,
    `declare function g(a: ${'A | '.repeat(20_000)}null): void;`,
    `declare function g(a: i32${'[]'.repeat(20_000)}): void;`,
    `${'namespace a { '.repeat(10_000)}`,
    `/*${'*'.repeat(200_000)}*/`,
    Array.from({ length: 5_000 }, (_, i) => `type T${i} = T${i + 1};`).join('\n'),
  ]) {
    assert.equal(read(text + hostile)[0]?.identifier, 'f', hostile.slice(0, 20));
  }
});

test('any text is read without an error, and what is told of it lies in it', () => {
  holdsForAnyText(
    (text) => read(text).filter(({ kind }) => kind === 'function'),
    [
      EXECUTOR,
      ...FUNCTIONS.map(([text]) => text),
      `${TYPE_NAMES}declare function f(a: Alias): void;`,
    ],
    [
      '@external("m", "n")',
      '@external("n"',
      '@builtin',
      'export',
      'declare',
      'declare function f(): void;',
      'function',
      'f(',
      ': i32',
      'namespace n {',
      'declare class C {',
      'static',
      '=> void',
      'type T =',
      '`${',
      '/',
      '//',
    ],
  );
});
