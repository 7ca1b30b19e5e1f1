// Forms and rules of The Rust Reference ("External blocks", "Conditional compilation", "Attributes"),
// and of what rustc 1.95 writes for wasm32 where that leaves something open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readRust } from '../../../engine/source/rust.ts';
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

const parser = await grammars.parser('rust');
const read = (text: string) => readRust(parser, text);

/** An executor with imports of each kind. */
const EXECUTOR = `//! An executor. 𝒳
#![no_std]

#[link(wasm_import_module = "mashin")]
extern "C" {
    /// Byte length of the input.
    fn get_input_len() -> i32;
    fn get_input(ptr: *mut u8) -> i32;
    #[link_name = "http_request"]
    fn request(ptr: *const u8, len: usize);
    fn log(level: i64, ptr: *const u8, len: usize);
    // fn commented_out();
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn fd_write(fd: i32, iovs: *const Ciovec, count: usize, written: *mut usize) -> i32;
}

/* extern "C" { fn also_commented_out(); } */

#[no_mangle]
pub extern "C" fn plan() -> i32 {
    let text = "extern \\"C\\" { fn in_a_string(); }";
    unsafe { get_input_len() + text.len() as i32 }
}
`;

test('pure, directive, impure and mistyped imports are read, commented-out ones are not', () => {
  assert.deepEqual(imports(read(EXECUTOR)), [
    'mashin.get_input_len () -> i32',
    'mashin.get_input (i32) -> i32',
    'mashin.http_request (i32, i32) -> ()',
    'mashin.log (i64, i32, i32) -> ()',
    'wasi_snapshot_preview1.fd_write (i32, i32, i32, i32) -> i32',
  ]);
});

test('a declaration knows its place, in UTF-16 units behind characters of two', () => {
  const request = declared(read, EXECUTOR, 'request');
  const { range, mark } = request;
  assert.equal(EXECUTOR.slice(mark.offset, mark.offset + mark.length), '"http_request"');
  assert.equal(
    EXECUTOR.slice(range.offset, range.offset + range.length),
    '#[link_name = "http_request"]\n    fn request(ptr: *const u8, len: usize);',
  );
  const length = declared(read, EXECUTOR, 'get_input_len').mark;
  assert.equal(EXECUTOR.slice(length.offset, length.offset + length.length), 'get_input_len');
});

test('a block without the attribute imports from env, with or without an ABI', () => {
  assert.deepEqual(imports(read('extern { fn a(); } extern "C" { fn b(); }')), [
    'env.a () -> ()',
    'env.b () -> ()',
  ]);
});

test('ABIs of C import; those of Rust and of other machines do not', () => {
  for (const abi of ['"C"', '"C-unwind"', '"system"', '"cdecl"']) {
    assert.equal(read(`extern ${abi} { fn f(); }`).length, 1, abi);
  }
  for (const abi of ['"Rust"', '"rust-intrinsic"', '"stdcall"', '"win64"', '"C++"']) {
    assert.equal(read(`extern ${abi} { fn f(); }`).length, 0, abi);
  }
});

test('the module is read from every form of the attribute', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['#[link(wasm_import_module = "m")]', 'm'],
    ['#[link(kind = "static", name = "z", wasm_import_module = "m",)]', 'm'],
    ['#[link(wasm_import_module=r"m\\n")]', 'm\\n'],
    ['#[link(wasm_import_module = r##"m"#"##)]', 'm"#'],
    ['#[link(wasm_import_module = "\\x6d\\u{1F6_00}\\"\\\\\\t")]', 'm\u{1F600}"\\\t'],
    ['#[link(wasm_import_module = "a\\\n      b")]', 'ab'],
    ['#[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "m"))]', 'm'],
    ['#[cfg_attr(any(unix, windows), link(wasm_import_module = "m"))]', 'env'],
    ['#[cfg_attr(feature = "x", allow(a), link(wasm_import_module = "m"))]', 'm'],
    ['#[cfg_attr(all(), cfg_attr(not(test), link(wasm_import_module = "m")))]', 'm'],
    ['#[allow(dead_code)] /// docs\n #[link(wasm_import_module = "m")] // note', 'm'],
  ];
  for (const [form, module] of forms) {
    assert.equal(read(`${form}\nextern "C" { fn f(); }`)[0]?.module, module, form);
  }
});

test('of several link attributes the last counts, an inner one after the outer, as in rustc', () => {
  const module = (text: string) => read(text)[0]?.module;
  const a = '#[link(wasm_import_module = "a")]';
  assert.equal(module(`${a} #[link(wasm_import_module = "b")] extern "C" { fn f(); }`), 'b');
  assert.equal(module(`${a} #[link(name = "lib")] extern "C" { fn f(); }`), 'env');
  assert.equal(
    module(`${a} extern "C" { #![link(wasm_import_module = "inner")] fn f(); }`),
    'inner',
  );
});

test('of several link_name attributes the first counts, as in rustc', () => {
  const block = (item: string) => imports(read(`extern "C" { ${item} fn f(); }`));
  assert.deepEqual(block('#[link_name = "x1"] #[link_name = "x2"]'), ['env.x1 () -> ()']);
  assert.deepEqual(block('#[cfg_attr(target_family = "wasm", link_name = r"x")]'), [
    'env.x () -> ()',
  ]);
  assert.deepEqual(block('#[cfg_attr(windows, link_name = "x")]'), ['env.f () -> ()']);
  // What a macro makes of it is not in the text.
  assert.deepEqual(block('#[link_name = concat!("a", "b")]'), []);
});

test('a raw identifier imports its name without the prefix', () => {
  const [found] = read('extern "C" { fn r#match(); }');
  assert.equal(found?.name, 'match');
  assert.equal(found?.identifier, 'r#match');
});

test('blocks are found in modules and functions', () => {
  const text = `
    mod host { pub mod deep { extern "C" { pub(crate) fn a(); } } }
    fn f() { #[link(wasm_import_module = "m")] extern "C" { fn b(); } unsafe { b() } }
    impl T { fn g() { if true { extern { fn c(); } } } }`;
  assert.deepEqual(
    read(text).map(({ module, name }) => `${module}.${name}`),
    ['env.a', 'm.b', 'env.c'],
  );
});

test('the form of Rust 2024 is read: unsafe blocks, safe and unsafe items', () => {
  const text = `#[link(wasm_import_module = "m")]
unsafe extern "C" {
    safe fn first(a: f64) -> f64;
    pub safe fn second();
    pub unsafe fn third();
    safe static TABLE: [u8; 4];
    // safe fn commented_out();
    #[link_name = "safe fn"]
    safe
    fn fourth();
}
const S: &str = "safe fn x();";`;
  assert.deepEqual(imports(read(text)), [
    'm.first (f64) -> f64',
    'm.second () -> ()',
    'm.third () -> ()',
    'm.safe fn () -> ()',
  ]);
  const { range } = declared(read, text, 'first');
  assert.ok(text.slice(range.offset).startsWith('safe fn first'));
  assert.doesNotMatch(removed(read, text, 'first'), /first|safe\s+pub/);
});

test('functions with bodies, pointers to functions, statics and macros import nothing', () => {
  const text = `
    pub extern "C" fn callback(x: i32) -> i32 { x }
    type Hook = unsafe extern "C" fn(i32) -> i32;
    extern crate alloc;
    extern "C" { static ENVIRON: *const u8; static mut COUNT: i32; type Opaque; }
    macro_rules! imports { () => { extern "C" { fn made(); } } }
    cfg_if! { if #[cfg(unix)] { extern "C" { fn hidden(); } } }
    #[wasm_bindgen] extern "C" { fn alert(s: &str); }
    #[host_fn("extism:host/user")] extern "ExtismHost" { fn hello(name: String) -> String; }`;
  assert.deepEqual(read(text), []);
});

test('what no build for WebAssembly compiles is left out, and nothing else', () => {
  const isRead = (cfg: string) => read(`#[cfg(${cfg})] extern "C" { fn f(); }`).length === 1;
  for (const cfg of [
    'target_arch = "wasm32"',
    'target_family = "wasm"',
    'not(unix)',
    'any(windows, target_arch = "wasm32")',
    'all(target_pointer_width = "32", target_endian = "little")',
    'target_os = "wasi"',
    'not(target_os = "wasi")',
    'target_os = "unknown"',
    'feature = "host"',
    'not(feature = "host")',
    'not(test)',
    'any(test, feature = "mock")',
    'debug_assertions',
    'target_feature = "simd128"',
    'all()',
    'true',
    'something_else(target_os = "linux")',
  ]) {
    assert.ok(isRead(cfg), cfg);
  }
  for (const cfg of [
    'not(target_arch = "wasm32")',
    'not(target_family = "wasm")',
    'target_arch = "x86_64"',
    'target_family = "unix"',
    'unix',
    'windows',
    'test',
    'any(unix, windows)',
    'any()',
    'all(feature = "host", unix)',
    'not(any(feature = "x", target_arch = "wasm32"))',
    'target_os = "linux"',
    'target_pointer_width = "64"',
    'false',
  ]) {
    assert.ok(!isRead(cfg), cfg);
  }
});

test('a configuration counts on items, on what is around the block, and inside', () => {
  const off = '#[cfg(not(target_arch = "wasm32"))]';
  const text = `
    extern "C" { ${off} fn a(); #[cfg(feature = "x")] fn b(); fn c(); }
    ${off} mod native { extern "C" { fn d(); } }
    ${off} fn f() { extern "C" { fn e(); } }
    mod m { #![cfg(unix)] extern "C" { fn g(); } }
    extern "C" { #![cfg(windows)] fn h(); }
    #[test] fn t() { extern "C" { fn i(); } }
    #[cfg_attr(not(feature = "x"), cfg(unix))] extern "C" { fn j(); }
    #[cfg_attr(target_arch = "wasm32", cfg(unix))] extern "C" { fn k(); }
    ${off} use a::b; extern "C" { fn l(); }`;
  assert.deepEqual(
    read(text).map(({ name }) => name),
    ['b', 'c', 'j', 'l'],
  );
  assert.deepEqual(read(`#![cfg(not(target_arch = "wasm32"))]\n${EXECUTOR}`), []);
});

test('types become what the C ABI of wasm32 makes of them', () => {
  const typeOf = (signature: string) => read(`extern "C" { fn f${signature}; }`)[0]?.type;
  const cases: readonly (readonly [string, string])[] = [
    ['(a: i8, b: u8, c: i16, d: u16, e: i32, f: u32)', '(i32, i32, i32, i32, i32, i32) -> ()'],
    ['(a: bool, b: char, c: usize, d: isize)', '(i32, i32, i32, i32) -> ()'],
    ['(a: i64, b: u64, c: f32, d: f64) -> i64', '(i64, i64, f32, f64) -> i64'],
    ['(a: *const T, b: *mut c_void, c: &T, d: &mut [u8; 4])', '(i32, i32, i32, i32) -> ()'],
    ["<'a>(a: Option<&'a T>, b: Option<NonNull<T>>, c: Box<T>)", '(i32, i32, i32) -> ()'],
    ['(a: extern "C" fn(i64) -> i64, b: Option<extern "C" fn()>)', '(i32, i32) -> ()'],
    [
      '(a: c_int, b: core::ffi::c_uint, c: std::os::raw::c_char) -> libc::c_long',
      '(i32, i32, i32) -> i32',
    ],
    [
      '(a: c_longlong, b: ::core::ffi::c_ulonglong, c: c_float, d: c_double)',
      '(i64, i64, f32, f64) -> ()',
    ],
    ['(a: ()) -> ()', '() -> ()'],
    ['() -> !', '() -> ()'],
    ['(a: i32,)', '(i32) -> ()'],
    ['(a: /* note */ i32) /* note */ -> u8', '(i32) -> i32'],
  ];
  for (const [signature, type] of cases) {
    assert.equal(typeOf(signature), type, signature);
  }
  for (const unknown of [
    '(a: MyAlias)',
    '(a: i128)',
    '() -> Pair',
    '(a: &str)',
    '(a: &[u8])',
    '(a: *const [u8])',
    '(a: &dyn Trait)',
    '(a: *const CStr)',
    '(a: [i32; 2])',
    '(a: Option<i32>)',
    '(format: *const c_char, ...)',
    '(#[cfg(x)] a: i32)',
    '(a: (i32, i32))',
  ]) {
    assert.equal(typeOf(unknown), undefined, unknown);
  }
});

test('a text that is broken in one place keeps its other declarations', () => {
  const text = `${EXECUTOR}\nfn broken( { let x = ;\n`;
  assert.equal(read(text).length, 5);
  const before = 'struct Half { a: , }\nfn half() { let x = \n}\n';
  assert.deepEqual(imports(read(`${before}extern "C" { fn f(a: i32); }`)), ['env.f (i32) -> ()']);
  assert.deepEqual(imports(read('extern "C" { fn f(a: i32);\n')), ['env.f (i32) -> ()']);
  const inside = 'extern "C" { fn a(); fn b(x: ) -> ; fn c(); }';
  assert.deepEqual(imports(read(inside)), ['env.a () -> ()', 'env.b ?', 'env.c () -> ()']);
});

test('importing another function of the module changes or adds the link name only', () => {
  const renamed = reimported(read, EXECUTOR, 'request', { module: 'mashin', name: 'emit' });
  assert.match(renamed, /#\[link_name = "emit"\]\n {4}fn request\(ptr/);
  const added = reimported(read, EXECUTOR, 'get_input_len', { module: 'mashin', name: 'now' });
  assert.match(
    added,
    /\/\/\/ Byte length of the input\.\n {4}#\[link_name = "now"\]\n {4}fn get_input_len\(\)/,
  );
  const inLine = 'extern "C" { fn a(); fn b(); }';
  assert.equal(
    reimported(read, inLine, 'b', { module: 'env', name: 'c' }),
    'extern "C" { fn a(); #[link_name = "c"] fn b(); }',
  );
  assert.deepEqual(
    declared(read, inLine, 'b').importing({ module: 'env', name: 'b' }),
    [],
    'nothing to change',
  );
});

test('importing from another module renames the module of a block of one', () => {
  const changed = reimported(read, EXECUTOR, 'fd_write', { module: 'mashin', name: 'log' });
  assert.match(changed, /module = "mashin"\)\]\nextern "C" \{\n {4}#\[link_name = "log"\]\n/);
  assert.equal(
    reimported(read, '  extern "C" {\r\n    fn f();\r\n  }', 'f', { module: 'm', name: 'f' }),
    '  #[link(wasm_import_module = "m")]\r\n  extern "C" {\r\n    fn f();\r\n  }',
  );
});

test('importing from another module moves an item out of a block of several', () => {
  const text = `mod host {
    #[allow(dead_code)]
    #[link(wasm_import_module = "a")]
    unsafe extern "C" {
        pub safe fn one();
        /// Kept.
        pub safe fn two(x: i32); // note
    }
}
`;
  assert.equal(
    reimported(read, text, 'two', { module: 'b', name: 'three' }),
    `mod host {
    #[allow(dead_code)]
    #[link(wasm_import_module = "a")]
    unsafe extern "C" {
        pub safe fn one();
        // note
    }

    #[allow(dead_code)]
    #[link(wasm_import_module = "b")]
    unsafe extern "C" {
        /// Kept.
        #[link_name = "three"]
        pub safe fn two(x: i32);
    }
}
`,
  );
  assert.equal(
    reimported(read, 'extern { fn a(); fn b(); }', 'a', { module: 'm', name: 'a' }),
    'extern { fn b(); }\n\n#[link(wasm_import_module = "m")]\nextern {\n    fn a();\n}',
  );
});

test('an item is not moved where the new block could not be like the old one', () => {
  const elsewhere = { module: 'b', name: 'f' };
  for (const text of [
    '#[cfg_attr(feature = "x", link(wasm_import_module = "a"))] extern { fn f(); fn g(); }',
    '#[link(wasm_import_module = "a", kind = "static")] extern { fn f(); fn g(); }',
    'extern { #![allow(x)] fn f(); fn g(); }',
    'extern { #![link(name = "z")] fn f(); }',
  ]) {
    assert.equal(declared(read, text, 'f').importing(elsewhere), undefined, text);
  }
});

test('any name survives the way into the source and back, or is refused', () => {
  fc.assert(
    fc.property(
      anyName,
      anyName,
      fc.constantFrom('fd_write', 'log'),
      (module, name, identifier) => {
        const target = { module, name };
        const isNameable = [module, name].every((n) => n.isWellFormed() && !n.includes('\0'));
        if (declared(read, EXECUTOR, identifier).importing(target) === undefined) {
          assert.ok(!isNameable);
        } else {
          assert.ok(isNameable);
          reimported(read, EXECUTOR, identifier, target);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a type that is given keeps names, and spellings that are right already', () => {
  const three = listed(['i32', 'i32', 'i32'], []);
  const log = retyped(read, EXECUTOR, 'log', three, '(i32, i32, i32) -> ()');
  assert.match(log, /fn log\(level: i32, ptr: \*const u8, len: usize\);/);
  const wider = listed(['i32', 'i64', 'f32'], ['f64']);
  assert.match(
    retyped(read, EXECUTOR, 'get_input', wider, '(i32, i64, f32) -> f64'),
    /fn get_input\(ptr: \*mut u8, arg1: i64, arg2: f32\) -> f64;/,
  );
  assert.match(retyped(read, EXECUTOR, 'fd_write', listed([], []), '() -> ()'), /fn fd_write\(\);/);
  const variadic = 'extern "C" { fn f(arg1: T, ...) -> !; }';
  assert.equal(
    retyped(read, variadic, 'f', listed(['i64', 'i64'], []), '(i64, i64) -> ()'),
    'extern "C" { fn f(arg1: i64, arg1_: i64) -> !; }',
  );
});

test('a type that the C ABI cannot say is refused', () => {
  const f = declared(read, 'extern { fn f(); }', 'f');
  assert.equal(f.typedAs(listed([], ['i32', 'i32'])), undefined);
  assert.equal(f.typedAs(listed(['v128'], [])), undefined);
  assert.equal(f.typedAs(listed([], ['externref'])), undefined);
});

test('an item is removed with its documentation and its lines, the last with its block', () => {
  assert.match(
    removed(read, EXECUTOR, 'get_input_len'),
    /extern "C" \{\n {4}fn get_input\(ptr: \*mut u8\) -> i32;\n/,
  );
  assert.match(
    removed(read, EXECUTOR, 'request'),
    /fn get_input\(ptr: \*mut u8\) -> i32;\n {4}fn log/,
  );
  const without = removed(read, EXECUTOR, 'fd_write');
  assert.doesNotMatch(without, /wasi_snapshot_preview1/);
  assert.match(without, /commented_out\(\);\n\}\n\n\n\/\* extern/);
  assert.equal(
    edited('extern { fn a(); fn b(); }', read('extern { fn a(); fn b(); }')[0]?.removed()),
    'extern { fn b(); }',
  );
});

test('a text that is too long, or nested too deep for recursion, is no trouble', () => {
  const block = 'extern { fn f(); }';
  assert.equal(read(' '.repeat(MAX_SOURCE_LENGTH - block.length) + block).length, 1);
  assert.equal(read(' '.repeat(MAX_SOURCE_LENGTH) + block).length, 0);
  for (const piece of [
    '(',
    '{',
    '[',
    'mod a {',
    '#[a(',
    '/*',
    '"',
    '<',
    'extern {',
    '#[cfg(not(',
  ]) {
    const deep = piece.repeat(200_000 / piece.length);
    assert.ok(read(`${block}\n${deep}`).length <= 2, piece);
    read(`${deep}${block}`);
  }
});

test('no text makes the reader fail', () => {
  holdsForAnyText(
    read,
    [
      EXECUTOR,
      '#[link(wasm_import_module = r#"m"#)]\nunsafe extern "C" { pub safe fn f(a: &u8); }',
    ],
    [
      ...['extern', '"C"', 'fn', 'f', 'safe', 'unsafe', 'pub', '->', ':', 'i32', '&str', 'mod'],
      ...['#[link(wasm_import_module = "m")]', '#[link_name = "n"]', '#[cfg(not(', 'r#"', '*/'],
    ],
  );
});
