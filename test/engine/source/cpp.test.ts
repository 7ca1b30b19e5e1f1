// What clang 19 makes of C++ for wasm32: each form below was compiled, and the imports of the module
// compared with what is expected here, mangled names among them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readC, readCpp } from '../../../engine/source/c.ts';
import {
  declared,
  holdsForAnyText,
  imports,
  listed,
  reimported,
  removed,
  retyped,
} from '../../support/declarations.ts';
import { grammars } from '../../support/grammars.ts';

const parser = await grammars.parser('cpp');
const read = (text: string) => readCpp(parser, text);
const line = (text: string) => imports(read(text)).join('; ');

/** An executor with imports of each kind. */
const EXECUTOR = `// An executor. 𝒳
#include <cstdint>

#define MASHIN(name) [[clang::import_module("mashin"), clang::import_name(#name)]]

namespace mashin {
MASHIN(get_input_len) std::int32_t get_input_len();
MASHIN(get_input) void get_input(char *out);

/// Sends a request.
MASHIN(http_request) void request(const char *json, std::size_t length);
MASHIN(log) void log(std::int64_t level, const char *text, int length);

// MASHIN(commented_out) void commented_out();
constexpr auto text = R"(MASHIN(in_a_string) void in_a_string();)";
}

extern "C" {
[[clang::import_module("wasi_snapshot_preview1")]]
int fd_write(int fd, const void *iovs, std::size_t count, std::size_t *written);
/* [[clang::import_module("env")]] int commented_out_too(); */
}

extern "C" __attribute__((export_name("plan"))) void plan() { mashin::request("", 0); }
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

/** Names that no attribute gives. */
const NAMES: readonly (readonly [string, string])[] = [
  ['extern "C" __attribute__((import_module("m"))) int f();', 'm.f () -> i32'],
  ['__attribute__((import_module("m"))) extern "C" int f();', 'm.f () -> i32'],
  [
    'extern "C" { __attribute__((import_module("m"))) int f(int, double = 1); }',
    'm.f (i32, f64) -> i32',
  ],
  ['__attribute__((import_module("m"))) int f();', 'm._Z1fv () -> i32'],
  ['__attribute__((import_module("m"))) int f(void);', 'm._Z1fv () -> i32'],
  ['[[clang::import_module("m")]] auto f(int a) -> long long;', 'm._Z1fi (i32) -> i64'],
  [
    '[[using clang: import_module("m")]] int f(const char *, const char *, char *);',
    'm._Z1fPKcS0_Pc (i32, i32, i32) -> i32',
  ],
  [
    '__attribute__((import_module("m"))) int f(unsigned, unsigned long, long long, unsigned char, signed char, bool, wchar_t, char16_t, float);',
    'm._Z1fjmxhabwDsf (i32, i32, i64, i32, i32, i32, i32, i32, f32) -> i32',
  ],
  [
    '__attribute__((import_module("m"))) int f(int64_t, uint64_t, size_t, uintptr_t, int32_t, uint8_t, ptrdiff_t);',
    'm._Z1fxymmihl (i64, i64, i32, i32, i32, i32, i32) -> i32',
  ],
  [
    '__attribute__((import_module("m"))) int f(void (*)(), int a[3], const int b, const int c[2], int &&, int *const *, const volatile char *);',
    'm._Z1fPFvvEPiiPKiOiPKS1_PVKc (i32, i32, i32, i32, i32, i32, i32) -> i32',
  ],
  [
    'struct s; enum e { A }; enum class w : long long { B }; using id = unsigned long long; __attribute__((import_module("m"))) void f(s *, const s &, s *, e, w, id);',
    'm._Z1fP1sRKS_S0_1e1wy (i32, i32, i32, i32, i64, i64) -> ()',
  ],
  [
    'namespace a::b { __attribute__((import_module("m"))) int f(long); }',
    'm._ZN1a1b1fEl (i32) -> i32',
  ],
  [
    'namespace n { struct q; __attribute__((import_module("m"))) int f(q *, const q &, q *, int (*)(q *)); }',
    'm._ZN1n1fEPNS_1qERKS0_S1_PFiS1_E (i32, i32, i32, i32) -> i32',
  ],
  ['namespace n { extern "C" __attribute__((import_module("m"))) int f(); }', 'm.f () -> i32'],
  ['extern "C" { namespace n { __attribute__((import_module("m"))) int f(); } }', 'm.f () -> i32'],
  ['__attribute__((import_module("m"))) int f() asm("label");', 'm.label () -> i32'],
  ['__attribute__((import_module(R"x(m"\\n)x"))) int f();', 'm"\\n._Z1fv () -> i32'],
  ['extern "C++" { __attribute__((import_module("m"))) int f(short); }', 'm._Z1fs (i32) -> i32'],
];

test('a name that no attribute gives is the symbol', () => {
  for (const [text, expected] of NAMES) assert.equal(line(text), expected, text);
});

test('members of classes are imported, with the object they are called on', () => {
  const text = `struct S {
    __attribute__((import_module("m"))) static int f(S *);
    __attribute__((import_module("m"))) int g(S *) const;
    __attribute__((import_module("m"), import_name("h"))) void h(double);
  };`;
  assert.deepEqual(imports(read(text)), [
    'm._ZN1S1fEPS_ (i32) -> i32',
    'm._ZNK1S1gEPS_ (i32, i32) -> i32',
    'm.h (i32, f64) -> ()',
  ]);
});

test('an unnamed and an inline namespace are part of the symbol', () => {
  const f = (name: string) => `__attribute__((import_module("m"))) int ${name}();`;
  assert.equal(line(`namespace { ${f('f')} }`), 'm._ZN12_GLOBAL__N_11fEv () -> i32');
  assert.equal(line(`namespace a { inline namespace c { ${f('f')} } }`), 'm._ZN1a1c1fEv () -> i32');
});

test('where the symbol is not to be told, the identifier stands for it', () => {
  assert.equal(line('__attribute__((import_module("m"))) int f(std::vector<int>);'), 'm.f ?');
});

test('overloads are functions of their own, and a definition is that of its own types', () => {
  const attribute = '__attribute__((import_module("m")))';
  assert.equal(
    line(`${attribute} int f(int); ${attribute} int f(float); int f(float) { return 1; }`),
    'm._Z1fi (i32) -> i32',
  );
});

test('what clang imports nothing for is not read', () => {
  const attribute = '__attribute__((import_module("m"), import_name("n")))';
  for (const text of [
    `${attribute} int f() { return 1; }`,
    `template <class T> ${attribute} int f(T);`,
    `struct S { ${attribute} int f() { return 1; } };`,
    // The attribute is the type's.
    `auto f() -> int ${attribute};`,
  ]) {
    assert.equal(line(text), '', text);
  }
});

test('a header that C and C++ share is read as either', () => {
  const text = `#ifdef __cplusplus
extern "C" {
#endif
__attribute__((import_module("m"))) int f();
#ifdef __cplusplus
}
#endif
`;
  assert.equal(line(text), 'm.f () -> i32');
  assert.deepEqual(imports(readC(parser, text)), ['m.f ?']);
});

test('an edit leaves the identifier, and all other imports, as they are', () => {
  const changed = reimported(read, EXECUTOR, 'request', { module: 'mashin', name: 'llm_call' });
  assert.ok(changed.includes('MASHIN(llm_call) void request(const char *json'));
  const linked = reimported(read, EXECUTOR, 'fd_write', { module: 'mashin', name: 'a"b\\' });
  assert.ok(linked.includes('[[clang::import_module("mashin"), clang::import_name("a\\"b\\\\")]]'));
  assert.match(
    retyped(read, EXECUTOR, 'log', listed(['i32', 'i32', 'i32'], []), '(i32, i32, i32) -> ()'),
    /void log\(int level, const char \*text, int length\);/,
  );
  assert.match(
    retyped(read, EXECUTOR, 'get_input', listed([], ['i64']), '() -> i64'),
    /MASHIN\(get_input\) long long get_input\(\);/,
  );
  const left = removed(read, EXECUTOR, 'request');
  assert.ok(!left.includes('Sends a request') && left.includes('MASHIN(log)'));
});

test('a type that would change the symbol is not written', () => {
  const text = '__attribute__((import_module("m"))) int f(int);';
  assert.equal(declared(read, text, 'f').typedAs(listed(['i64'], ['i32'])), undefined);
  assert.equal(
    retyped(read, text, 'f', listed(['i32'], ['f64']), '(i32) -> f64'),
    text.replace('int f', 'double f'),
  );
});

test('any text is read without an error, and what is told of it lies in it', () => {
  holdsForAnyText(
    read,
    [EXECUTOR, ...NAMES.map(([text]) => text)],
    [
      '__attribute__((import_module("m")))',
      '[[clang::import_name("n")]]',
      'namespace n {',
      'struct S {',
      'template <class T>',
      'static',
      'int f(',
      'auto f() ->',
      'const',
      '&&',
      '::',
      'R"(',
      'using T =',
      'extern "C"',
      'operator+',
    ],
  );
});
