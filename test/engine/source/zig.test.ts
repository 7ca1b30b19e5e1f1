// Forms of the Zig language reference ("Keyword Reference", "@extern", "Identifiers", "String
// Literals") and what its compiler sets as module and name of an import.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_SOURCE_LENGTH } from '../../../engine/source/syntax.ts';
import { readZig } from '../../../engine/source/zig.ts';
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

const parser = await grammars.parser('zig');
const read = (text: string) => readZig(parser, text);

/** An executor with imports of each kind. */
const EXECUTOR = `//! An executor. 𝒳
const std = @import("std");

/// Byte length of the input.
extern "mashin" fn get_input_len() i32;
pub extern "mashin" fn http_request(ptr: [*]const u8, len: usize) void;
extern "mashin" fn log(level: i64, ptr: [*]const u8, len: usize) void;
extern fn now() f64;
// extern "mashin" fn commented_out() void;

const wasi = struct {
    pub extern "wasi_snapshot_preview1" fn random_get(buf: [*]u8, len: usize) u16;
};

const emit = @extern(*const fn (i32, len: u32) callconv(.c) i32, .{
    .name = "set_output",
    .library_name = "mashin",
});

const text = "extern fn in_a_string() void;";
const lines =
    \\\\extern fn in_lines() void;
;

export fn plan() i32 {
    return get_input_len() + @as(i32, @intCast(text.len));
}
`;

test('pure, directive, impure and mistyped imports are read, commented-out ones are not', () => {
  assert.deepEqual(imports(read(EXECUTOR)), [
    'mashin.get_input_len () -> i32',
    'mashin.http_request (i32, i32) -> ()',
    'mashin.log (i64, i32, i32) -> ()',
    'env.now () -> f64',
    'wasi_snapshot_preview1.random_get (i32, i32) -> i32',
    'mashin.set_output (i32, i32) -> i32',
  ]);
});

test('a declaration knows its place, in UTF-16 units behind characters of two', () => {
  const length = declared(read, EXECUTOR, 'get_input_len');
  assert.equal(
    EXECUTOR.slice(length.range.offset, length.range.offset + length.range.length),
    '/// Byte length of the input.\nextern "mashin" fn get_input_len() i32;',
  );
  const { mark, range } = declared(read, EXECUTOR, 'emit');
  assert.equal(EXECUTOR.slice(mark.offset, mark.offset + mark.length), '"set_output"');
  assert.ok(EXECUTOR.slice(range.offset).startsWith('const emit = @extern('));
});

test('libc, variables, exports, structures, pointers to functions and tests import nothing', () => {
  const text = `
    extern "c" fn printf(format: [*:0]const u8, ...) c_int;
    extern "m" var count: i32;
    extern const limit: i32;
    const v = @extern(*i32, .{ .name = "v" });
    const w = @extern(*const i32, .{ .name = "w" });
    const p = @extern(*const fn () void, .{ .name = "p", .library_name = "c" });
    export fn run() void {}
    const S = extern struct { a: i32, f: *const fn () callconv(.c) void };
    const U = extern union { a: i32 };
    test "t" { _ = struct { extern "t" fn in_test() void; }; }`;
  assert.deepEqual(read(text), []);
});

test('imports are found wherever a container or a block stands', () => {
  const text = `
    pub const a = struct { const b = union { extern "m" fn one() void; }; };
    fn f() void {
        const c = struct { extern "m" fn two() void; };
        if (builtin.target.isWasm()) {
            @extern(*const fn () void, .{ .name = "three" })();
        }
    }
    comptime { _ = struct { extern "m" fn four() void; }; }
    pub inline fn g() void { const four = @extern(Hook, .{ .library_name = "h", .name = "five" }); }`;
  assert.deepEqual(imports(read(text)), [
    'm.one () -> ()',
    'm.two () -> ()',
    'env.three () -> ()',
    'm.four () -> ()',
    'h.five ?',
  ]);
});

test('names are read with their quotes and escapes', () => {
  const text = `
    extern "m\\x2f\\u{1F600}\\"\\\\\\t" fn @"two words"() void;
    extern "\\xc3\\xa9" fn @"\\u{65}"() void;
    extern "\\xff" fn not_utf8() void;
    extern "\\q" fn no_escape() void;
    const f = @extern(*const fn () void, .{ .name = "a" ++ "b" });`;
  assert.deepEqual(imports(read(text)), ['m/\u{1F600}"\\\t.two words () -> ()', 'é.e () -> ()']);
});

test('types become what the calling convention of C on wasm32 makes of them', () => {
  const typeOf = (signature: string) => read(`extern fn f${signature};`)[0]?.type;
  for (const [signature, type] of [
    ['(a: i8, b: u8, c: i16, d: u16, e: i32, f: u32) void', '(i32, i32, i32, i32, i32, i32) -> ()'],
    ['(bool, usize, isize) bool', '(i32, i32, i32) -> i32'],
    ['(a: i64, b: u64, c: f32, d: f64) u64', '(i64, i64, f32, f64) -> i64'],
    ['(a: *T, b: [*]u8, c: [*:0]const u8, d: [*c]u8) *anyopaque', '(i32, i32, i32, i32) -> i32'],
    ['(a: ?*T, b: ?[*]const u8, c: *const fn () void) ?*T', '(i32, i32, i32) -> i32'],
    ['(noalias a: *T, b: c_int, c: c_ulong, d: c_longlong) c_uint', '(i32, i32, i32, i64) -> i32'],
    ['() noreturn', '() -> ()'],
    ['(a: i32,) callconv(.c) f32', '(i32) -> f32'],
  ] as const) {
    assert.equal(typeOf(signature), type, signature);
  }
  for (const unknown of [
    '(a: []const u8) void',
    '(a: Level) void',
    '(a: u128) void',
    '(a: u7) void',
    '(a: ?i32) void',
    '(a: [4]u8) void',
    '(a: i32, ...) void',
    '() Pair',
    '() !void',
  ]) {
    assert.equal(typeOf(unknown), undefined, unknown);
  }
});

test('a text that is broken in one place keeps its other declarations', () => {
  const text = `fn half() void { const x = ; }\nextern fn bad(a: ) i32;\n${EXECUTOR}const y = (`;
  assert.equal(read(text).length, 7);
  const bad = declared(read, text, 'bad');
  assert.equal(bad.type, undefined);
  assert.equal(bad.removed(), undefined);
});

test('importing from another module changes or adds the module only', () => {
  const changed = reimported(read, EXECUTOR, 'random_get', {
    module: 'mashin',
    name: 'random_get',
  });
  assert.match(changed, /pub extern "mashin" fn random_get\(buf/);
  const added = reimported(read, EXECUTOR, 'now', { module: 'clock', name: 'now' });
  assert.match(added, /\nextern "clock" fn now\(\) f64;/);
  const built = 'const f = @extern(*const fn () void, .{ .name = "n" });';
  assert.equal(
    reimported(read, built, 'f', { module: 'm', name: 'o' }),
    'const f = @extern(*const fn () void, .{ .name = "o", .library_name = "m" });',
  );
});

test('importing another name puts the function in a structure, and there changes it', () => {
  const text = '/// Docs.\npub extern "m" fn f(a: i32) i32; // note\n';
  const once = reimported(read, text, 'f', { module: 'm', name: 'g' });
  assert.equal(
    once,
    '/// Docs.\npub const f = struct { extern "m" fn g(a: i32) i32; }.g; // note\n',
  );
  assert.equal(
    reimported(read, once, 'f', { module: 'n', name: 'while' }),
    '/// Docs.\npub const f = struct { extern "n" fn @"while"(a: i32) i32; }.@"while"; // note\n',
  );
  assert.equal(removed(read, once, 'f'), '// note\n');
});

test('libc and empty names are not what a source can import from', () => {
  const now = declared(read, EXECUTOR, 'now');
  assert.equal(now.importing({ module: 'c', name: 'now' }), undefined);
  assert.equal(now.importing({ module: '', name: 'now' }), undefined);
  assert.equal(now.importing({ module: 'm', name: '' }), undefined);
  const emit = declared(read, EXECUTOR, 'emit');
  assert.equal(emit.importing({ module: 'c', name: 'n' }), undefined);
  assert.equal(emit.importing({ module: 'm', name: '' }), undefined);
});

test('any name survives the way into the source and back, or is refused', () => {
  fc.assert(
    fc.property(anyName, anyName, fc.constantFrom('now', 'log', 'emit'), (module, name, own) => {
      const isNameable = [module, name].every(
        (n) => n !== '' && n.isWellFormed() && !n.includes('\0'),
      );
      const target = { module, name };
      if (declared(read, EXECUTOR, own).importing(target) === undefined) {
        assert.ok(!isNameable || module === 'c');
      } else {
        assert.ok(isNameable);
        reimported(read, EXECUTOR, own, target);
      }
    }),
    { numRuns: 300 },
  );
});

test('a type that is given keeps names, spellings that are right, and the calling convention', () => {
  const three = listed(['i32', 'i32', 'i32'], []);
  assert.match(
    retyped(read, EXECUTOR, 'log', three, '(i32, i32, i32) -> ()'),
    /fn log\(level: i32, ptr: \[\*\]const u8, len: usize\) void;/,
  );
  assert.match(
    retyped(read, EXECUTOR, 'emit', listed(['i32', 'i64', 'f32'], []), '(i32, i64, f32) -> ()'),
    /\*const fn \(arg0: i32, len: i64, arg2: f32\) callconv\(\.c\) void, \.\{/,
  );
  const nameless = 'extern fn f(u32, u32) noreturn;';
  assert.equal(
    retyped(read, nameless, 'f', listed(['i32', 'f64'], []), '(i32, f64) -> ()'),
    'extern fn f(u32, f64) noreturn;',
  );
  assert.equal(
    retyped(read, nameless, 'f', listed([], ['i64']), '() -> i64'),
    'extern fn f() i64;',
  );
  const now = declared(read, EXECUTOR, 'now');
  assert.equal(now.typedAs(listed([], ['i32', 'i32'])), undefined);
  assert.equal(now.typedAs(listed(['v128'], [])), undefined);
});

test('a declaration is removed with its documentation and its lines; a value is not', () => {
  assert.match(removed(read, EXECUTOR, 'get_input_len'), /"std"\);\n\npub extern "mashin"/);
  assert.match(removed(read, EXECUTOR, 'emit'), /\};\n\n\nconst text/);
  const two = 'extern fn a() void; extern fn b() void;';
  assert.equal(removed(read, two, 'a'), 'extern fn b() void;');
  const [value] = read('fn f() void { @extern(*const fn () void, .{ .name = "n" })(); }');
  assert.equal(value?.identifier, '');
  assert.equal(value?.removed(), undefined);
});

test('a text that is too long, takes too long, or is nested too deep for recursion is no trouble', () => {
  const one = 'extern fn f() void;';
  assert.equal(read(' '.repeat(MAX_SOURCE_LENGTH - one.length) + one).length, 1);
  assert.equal(read(' '.repeat(MAX_SOURCE_LENGTH) + one).length, 0);
  for (const piece of ['(', '{', '[', 'struct {', '"', '.{', '*', '///\n']) {
    const deep = piece.repeat(100_000 / piece.length);
    assert.ok(read(`${one}\n${deep}`).length <= 1, piece);
    read(`${deep}${one}`);
  }
  // The grammar takes time in the square of this.
  read(`${one}\n${'/*'.repeat(20_000)}`);
  assert.equal(read(one).length, 1, 'the parser goes on');
});

test('no text makes the reader fail', () => {
  holdsForAnyText(
    read,
    [EXECUTOR, 'pub const f = struct { extern "m" fn @"n x"(a: i32) i32; }.@"n x";'],
    [
      ...['extern', '"m"', 'fn', 'f', '()', 'void', 'pub', 'const', '=', 'struct', '.n', 'i32'],
      ...['@extern(', '*const fn () void', '.{', '.name = "n"', '@"q"', '\\\\', '///'],
    ],
  );
});
