// What clang 19 makes of C for wasm32: each form below was compiled, and the imports of the module
// compared with what is expected here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { readC } from '../../../engine/source/c.ts';
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

const parser = await grammars.parser('c');
const read = (text: string) => readC(parser, text);
/** The imports of a text, as one line. */
const line = (text: string) => imports(read(text)).join('; ');

/** An executor with imports of each kind. */
const EXECUTOR = `/* An executor. 𝒳 */
#include <stdint.h>

#define MASHIN(name) __attribute__((import_module("mashin"), import_name(#name)))

MASHIN(get_input_len) int32_t get_input_len(void);
MASHIN(get_input) void get_input(void *out);

/* Sends a request. */
__attribute__((import_module("mashin"), import_name("http_request")))
void request(const char *json, int len);

MASHIN(log) void log_line(long long level, const char *text, int len);
__attribute__((import_module("wasi_snapshot_preview1")))
int fd_write(int fd, const void *iovs, size_t count, size_t *written);

/* MASHIN(commented_out) void commented_out(void); */
// MASHIN(commented_out_too) void commented_out_too(void);
static const char *text = "__attribute__((import_name(\\"s\\"))) int in_a_string(void);";

__attribute__((export_name("plan"))) void plan(void) { request(text, get_input_len()); }
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

test('the header that executors in C share is read', () => {
  const header = readFileSync(new URL('../../../examples/sdk/c/mashin.h', import.meta.url), 'utf8');
  assert.deepEqual(imports(read(header)), [
    'mashin.get_input_len () -> i32',
    'mashin.get_input (i32) -> ()',
    'mashin.set_output (i32, i32) -> ()',
    'mashin.context_len (i32, i32) -> i32',
    'mashin.context_read (i32, i32, i32) -> i32',
    'mashin.call_machine (i32, i32) -> ()',
    'mashin.record_step (i32, i32) -> ()',
  ]);
});

test('a declaration knows its place, in UTF-16 units behind characters of two', () => {
  const pieces = (identifier: string) => {
    const { range, mark } = declared(read, EXECUTOR, identifier);
    return [range, mark].map(({ offset, length }) => EXECUTOR.slice(offset, offset + length));
  };
  assert.deepEqual(pieces('request'), [
    '__attribute__((import_module("mashin"), import_name("http_request")))\nvoid request(const char *json, int len);',
    '"http_request"',
  ]);
  // A macro quotes its argument.
  assert.deepEqual(pieces('log_line'), [
    'MASHIN(log) void log_line(long long level, const char *text, int len);',
    'log',
  ]);
  assert.equal(pieces('fd_write')[1], 'fd_write');
});

/** Forms of attributes. */
const ATTRIBUTES: readonly (readonly [string, string])[] = [
  ['__attribute__((import_module("m"), import_name("n"))) int f(void);', 'm.n () -> i32'],
  ['int f(void) __attribute__((import_module("m"), import_name("n")));', 'm.n () -> i32'],
  ['int __attribute__((import_module("m"))) f(void);', 'm.f () -> i32'],
  ['int *__attribute__((import_name("n"))) f(void);', 'env.n () -> i32'],
  [
    '__attribute((__import_module__("m"))) __attribute__((import_name("n"))) int f(void);',
    'm.n () -> i32',
  ],
  [
    '__attribute__((import_module("m"))) int f(void) __attribute__((import_name("n")));',
    'm.n () -> i32',
  ],
  ['__attribute__((noreturn, import_name("n"), cold)) extern void f(void);', 'env.n () -> ()'],
  ['[[clang::import_module("m"), clang::import_name("n")]] int f(void);', 'm.n () -> i32'],
  ['[[clang::import_module("m")]] int f [[_Clang::__import_name__("n")]] (void);', 'm.n () -> i32'],
  ['__attribute__((import_name("n" "am" "e"))) int f(void);', 'env.name () -> i32'],
  [
    '__attribute__((import_name("a\\tb\\"\\\\é\\?\\\nc"))) int f(void);',
    'env.a\tb"\\é?c () -> i32',
  ],
  ['__attribute__((import_name(""))) int f(void);', 'env. () -> i32'],
  ['__attribute__((import_module("m"))) int f(void) __asm__("label");', 'm.label () -> i32'],
  ['__attribute__((import_name("n"))) int f(void) __asm__("label");', 'env.n () -> i32'],
  // Of two attributes of one declaration the first counts.
  ['__attribute__((import_module("m"), import_module("m2"))) int f(void);', 'm.f () -> i32'],
];

test('attributes are read in every form and place', () => {
  for (const [text, expected] of ATTRIBUTES) assert.equal(line(text), expected, text);
});

test('attributes of several declarators are those of all, or of one', () => {
  const text = `__attribute__((import_module("m"))) int f(void), *g(int),
    __attribute__((import_name("h2"))) h(long long), k(void) __attribute__((import_name("k2")));`;
  assert.equal(line(text), 'm.f () -> i32; m.g (i32) -> i32; m.h2 (i64) -> i32; m.k2 () -> i32');
});

test('what one declaration of a function says holds for the others', () => {
  const first = '__attribute__((import_module("m"))) int f(void);';
  const second = '__attribute__((import_name("n"))) int f(void);';
  assert.equal(line(`${first} ${second}`), 'm.n () -> i32; m.n () -> i32');
});

test('what clang imports nothing for is not read', () => {
  const attribute = '__attribute__((import_module("m"), import_name("n")))';
  for (const text of [
    'int f(void);',
    `${attribute} int f(void) { return 1; }`,
    `${attribute} int f(void); int u(void) { return f(); } int f(void) { return 1; }`,
    `${attribute} int (*f)(void);`,
    `${attribute} extern int f;`,
    `${attribute} typedef int f(void);`,
    `int f(int a ${attribute});`,
    '[[gnu::import_module("m")]] int f(void);',
    '__attribute__((export_name("import_module"))) int f(void);',
    // Another file tells the module: a guess would be a false finding.
    '__attribute__((import_module(MODULE), import_name("n"))) int f(void);',
  ]) {
    assert.equal(line(text), '', text);
  }
});

/** Types, as the parameter of a function. */
const TYPES: readonly (readonly [string, string])[] = [
  ['int', 'i32'],
  ['unsigned', 'i32'],
  ['const unsigned long int', 'i32'],
  ['long unsigned', 'i32'],
  ['signed char', 'i32'],
  ['short', 'i32'],
  ['_Bool', 'i32'],
  ['long long', 'i64'],
  ['unsigned long long int', 'i64'],
  ['long int long', 'i64'],
  ['float', 'f32'],
  ['double', 'f64'],
  ['enum e', 'i32'],
  ['const char *', 'i32'],
  ['char *const *restrict', 'i32'],
  ['struct s *', 'i32'],
  ['int [3]', 'i32'],
  ['void (*)(int)', 'i32'],
  ['void (int)', 'i32'],
  ['__externref_t', 'externref'],
  ['word', 'i64'],
  ['alias', 'i64'],
  ['callback', 'i32'],
  ['record *', 'i32'],
];
const TYPE_NAMES = `enum e { A }; struct s; typedef unsigned long long word; typedef word alias;
typedef int (*callback)(int); typedef struct { int a; } record; typedef int function(float);
`;

test('types are those of wasm32', () => {
  for (const [type, expected] of TYPES) {
    const text = `${TYPE_NAMES}__attribute__((import_name("n"))) void f(${type});`;
    assert.equal(line(text), `env.n (${expected}) -> ()`, type);
  }
  assert.equal(
    line(`${TYPE_NAMES}__attribute__((import_name("n"))) function f;`),
    'env.n (f32) -> i32',
  );
  assert.equal(
    line('__attribute__((import_name("n"))) int64_t f(uint8_t, size_t, intptr_t, uint64_t);'),
    'env.n (i32, i32, i32, i64) -> i64',
  );
});

test('a type that the text does not tell, or that no import has, is not guessed', () => {
  for (const type of ['struct s', 'record', 'unknown', '__int128', 'long double', 'int, ...', '']) {
    const text = `${TYPE_NAMES}__attribute__((import_name("n"))) void f(${type});`;
    assert.equal(line(text), 'env.n ?', type);
  }
  // Two branches, two types.
  const text = `#ifdef WIDE\ntypedef long long number;\n#else\ntypedef int number;\n#endif
    __attribute__((import_name("n"))) void f(number);`;
  assert.equal(line(text), 'env.n ?');
});

test('macros of the text are replaced, those of others are not', () => {
  const all = `
#define ATTR(...) __attribute__((__VA_ARGS__))
#define FROM(m) ATTR(import_module(m))
#define HOST "host"
#define IMPORT(m, n) FROM(m) ATTR(import_name(n))
#define DECLARE(ret, name, args...) IMPORT(HOST "/v1", #name) ret host_##name(args)
#define NAMED(name) FROM("named") extern int name
IMPORT("a", "b") int f1(void);
IMPORT(HOST, "c")
int f2(void);
DECLARE(void, send, const char *json, int len);
NAMED(f4)(void);
API IMPORT("a", "d") int f5(void) NOTHROW;
UNKNOWN_IMPORT("a", "e") int f6(void);
#undef IMPORT
IMPORT("a", "f") int f7(void);
`;
  assert.deepEqual(imports(read(all)), [
    'a.b () -> i32',
    'host.c () -> i32',
    'host/v1.send (i32, i32) -> ()',
    'named.f4 () -> i32',
    'a.d () -> i32',
  ]);
});

test('what is certainly not compiled for wasm32 is left out, and nothing else', () => {
  const isRead = (condition: string) =>
    read(`#if ${condition}\n__attribute__((import_name("n"))) int f(void);\n#endif\n`).length === 1;
  for (const condition of [
    '1',
    'defined(__wasm__)',
    'defined __wasm32__ && !defined(_WIN32)',
    '__wasm__',
    '__wasm__ == 1',
    'defined(UNKNOWN)',
    '!defined(UNKNOWN)',
    'UNKNOWN > 3',
    'defined(UNKNOWN) && defined(__wasm__)',
    '__has_attribute(import_module)',
    '__has_include(<unknown.h>)',
    '(2 + 3 * 4 == 14) && 0x10u == 020 && (1 ? 1 : 0)',
    '-1 < 0 || 1 / 0',
    'no ( condition',
  ]) {
    assert.ok(isRead(condition), condition);
  }
  for (const condition of [
    '0',
    '!defined(__wasm__)',
    'defined(__linux__) || defined(__APPLE__)',
    'defined(_WIN32) && UNKNOWN',
    '0 && UNKNOWN(1, 2)',
    '__cplusplus',
    'defined(__x86_64__)',
    '5 % 2 == 0 || (1 << 3) != 8',
  ]) {
    assert.ok(!isRead(condition), condition);
  }
});

test('branches follow one another as the preprocessor has them', () => {
  const f = (name: string) => `__attribute__((import_name("${name}"))) int ${name}(void);`;
  const names = (text: string) => read(text).map(({ name }) => name);
  const after = (text: string) => names(`${text}\n${f('z')}\n`);
  assert.deepEqual(after(`#ifdef __wasm__\n${f('a')}\n#else\n${f('b')}\n#endif`), ['a', 'z']);
  assert.deepEqual(after(`#ifndef __wasm__\n${f('a')}\n#elif 1\n${f('b')}\n#endif`), ['b', 'z']);
  assert.deepEqual(after(`#ifdef X\n${f('a')}\n#elif 1\n${f('b')}\n#else\n${f('c')}\n#endif`), [
    'a',
    'b',
    'z',
  ]);
  assert.deepEqual(after(`#if 0\n#if 1\n${f('a')}\n#endif\n${f('b')}\n#endif`), ['z']);
  assert.deepEqual(after(`#define ON 1\n#if ON\n${f('a')}\n#else\n${f('b')}\n#endif`), ['a', 'z']);
  assert.deepEqual(after(`#ifndef GUARD\n#define GUARD\n${f('a')}\n#endif`), ['a', 'z']);
  assert.deepEqual(after("#if 0\ndon't\n#endif"), ['z']);
});

test('a function that only other builds define is imported in this one', () => {
  const declaration = '__attribute__((import_module("m"))) int f(void);';
  const stub = 'int f(void) { return 0; }';
  assert.equal(line(`#ifdef NATIVE\n${stub}\n#else\n${declaration}\n#endif`), 'm.f () -> i32');
  assert.equal(line(`#ifdef NATIVE\n${stub}\n${declaration}\n#endif`), '');
});

test('of alternative macros the one that declares imports counts', () => {
  const text = `#ifdef HOSTED
#define IMPORT(n) __attribute__((import_module("m"), import_name(n)))
#else
#define IMPORT(n)
#endif
IMPORT("a") int f(void);`;
  assert.equal(line(text), 'm.a () -> i32');
});

test('directives of inline assembly name imports', () => {
  const text = `__asm__(".functype f () -> (i32)\\n"
  ".import_module f, m\\n\\t.import_name f, n\\n");
int f(void), other(void);`;
  assert.equal(line(text), 'm.n () -> i32');
  assert.equal(
    line('asm(".import_name f, n; .import_module f, m"); int f(void);'),
    'm.n () -> i32',
  );
  // An attribute says more than the assembler.
  assert.equal(
    line('asm(".import_module f, m"); __attribute__((import_module("z"))) int f(void);'),
    'z.f () -> i32',
  );
});

test('words of C++ are names in C, declarations stand in blocks, and broken pieces are survived', () => {
  const attribute = '__attribute__((import_module("m")))';
  assert.equal(line(`${attribute} int new(int class, long delete);`), 'm.new (i32, i32) -> i32');
  assert.equal(line(`int u(void) { ${attribute} int f(void); return f(); }`), 'm.f () -> i32');
  assert.equal(line(`int g(int { \n${attribute} int f(void);`), 'm.f () -> i32');
  assert.equal(line(`struct s { int a;\n${attribute} int f(void);`), 'm.f () -> i32');
  assert.equal(line(`${attribute} int f(void);\n#define\n"open\n}}}`), 'm.f () -> i32');
});

test('another import is written into the attributes, whatever its name', () => {
  const attribute = '__attribute__((import_module("a"), import_name("b")))';
  const forms = [
    `${attribute} int f(int);`,
    '[[clang::import_module("a")]] int f(int);',
    'int f(int) __attribute__((import_name("b"))), g(int) __attribute__((import_name("c")));',
    '#define I(m, n) __attribute__((import_module(m), import_name(n)))\nI("a", "b") int f(int);',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...forms), anyName, anyName, (text, module, name) => {
      // Control characters other than these have no spelling in an attribute.
      const isSaid = [module, name].every((each) => !/(?![\t\n\r])\p{Cc}|\p{Cs}/u.test(each));
      if (isSaid) reimported(read, text, 'f', { module, name });
      else assert.equal(declared(read, text, 'f').importing({ module, name }), undefined);
    }),
    { numRuns: 150 },
  );
});

test('an attribute that is missing is added to its list', () => {
  const to = { module: 'm', name: 'n' };
  assert.equal(
    reimported(read, '__attribute__((__import_module__("a"))) int f(void);', 'f', to),
    '__attribute__((__import_module__("m"), __import_name__("n"))) int f(void);',
  );
  assert.equal(
    reimported(read, '[[clang::import_name("a")]] int f(void);', 'f', to),
    '[[clang::import_name("n"), clang::import_module("m")]] int f(void);',
  );
  const shared = '__attribute__((import_module("m"))) int f(void), g(void);';
  assert.equal(
    reimported(read, shared, 'f', to),
    '__attribute__((import_module("m"))) int f(void) __attribute__((import_name("n"))), g(void);',
  );
  assert.equal(
    reimported(read, 'asm(".import_module f, a"); asm(".import_name f, b"); int f(void);', 'f', to),
    'asm(".import_module f, m"); asm(".import_name f, n"); int f(void);',
  );
});

test('an argument that a macro quotes is edited if nothing else comes of it', () => {
  const target = { module: 'mashin', name: 'set_output' };
  const changed = reimported(read, EXECUTOR, 'log_line', target);
  assert.ok(changed.includes('MASHIN(set_output) void log_line('));
  const found = declared(read, EXECUTOR, 'log_line');
  assert.equal(found.importing({ module: 'mashin', name: 'set output(' }), undefined);
  assert.equal(found.importing({ module: 'other', name: 'log' }), undefined);
  const both = '#define I(n) __attribute__((import_name(#n))) int n(void)\nI(f);';
  assert.equal(declared(read, both, 'f').importing({ module: 'env', name: 'g' }), undefined);
});

test('another type leaves what fits as it is spelled', () => {
  const attribute = '__attribute__((import_module("m"))) ';
  const change = (text: string, ...[params, results]: Parameters<typeof listed>) => {
    const type = `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : '()'}`;
    const changed = retyped(read, attribute + text, 'f', listed(params, results), type);
    return changed.slice(attribute.length);
  };
  assert.equal(
    change('void f(long long level, const char *text);', ['i32', 'i32'], []),
    'void f(int level, const char *text);',
  );
  assert.equal(
    change('int f(const char *p);', ['i32', 'i64'], ['i32']),
    'int f(const char *p, long long);',
  );
  assert.equal(change('extern const char *f(void);', [], ['f64']), 'extern double f(void);');
  assert.equal(change('struct s*f(int a, int b);', ['i32'], []), 'void f(int a);');
  assert.equal(change('int f(int a);', [], ['f32']), 'float f(void);');
  assert.equal(change('int f();', [], ['i32']), 'int f(void);');
  assert.equal(change('int f(int, ...);', ['i32'], ['i32']), 'int f(int);');
  const untold = declared(read, `${attribute}int f(int), g(void);`, 'f');
  assert.equal(untold.typedAs(listed([], ['i64'])), undefined, 'g has the same result');
  assert.equal(untold.typedAs(listed(['v128'], ['i32'])), undefined, 'C has no word for it');
});

test('a removed declaration takes its comment and its lines along', () => {
  const left = removed(read, EXECUTOR, 'request');
  assert.ok(!left.includes('Sends a request') && !left.includes('void request'));
  assert.ok(left.includes('void get_input(void *out);\n\n\nMASHIN(log)'));
  const text = '__attribute__((import_module("m"))) int f(void), g(void), h(void);';
  assert.equal(removed(read, text, 'f'), text.replace('f(void), ', ''));
  assert.equal(removed(read, text, 'g'), text.replace(', g(void)', ''));
  assert.equal(removed(read, text, 'h'), text.replace(', h(void)', ''));
  const made =
    '#define TWO int f(void) I; int g(void) I\n#define I __attribute__((import_name("n")))\nTWO;';
  assert.equal(declared(read, made, 'f').removed(), undefined, 'g goes with it');
});

test('a text past the bound has no declarations', () => {
  const text = '__attribute__((import_name("n"))) int f(void);';
  assert.equal(read(text).length, 1);
  assert.equal(read(text + ' '.repeat(MAX_SOURCE_LENGTH)).length, 0);
});

test('hostile nesting and macros that double without end are read in bounded time', () => {
  const text = '__attribute__((import_name("n"))) int f(void);\n';
  const doubling = Array.from({ length: 60 }, (_, i) => `#define A${i + 1} A${i} A${i}\n`).join('');
  const calls = '#define F(x) x x\n';
  for (const hostile of [
    `${'#if 1\n'.repeat(20_000)}`,
    `${doubling}A60\n`,
    `${calls}${'F('.repeat(20_000)}`,
    `${calls}${'F('.repeat(20_000)}${')'.repeat(20_000)};\n`,
    `#if ${'('.repeat(50_000)}1\n#endif\n`,
    `#if ${'!'.repeat(3_000)}1\n#endif\n`,
    `__attribute__((import_module("m"))) int ${'*'.repeat(50_000)}g(int ${'*'.repeat(50_000)});\n`,
    '('.repeat(50_000),
    `"${'\\'.repeat(200_000)}`,
  ]) {
    const found = read(text + hostile);
    assert.equal(found[0]?.identifier, 'f', hostile.slice(0, 20));
  }
});

test('any text is read without an error, and what is told of it lies in it', () => {
  holdsForAnyText(
    read,
    [
      EXECUTOR,
      ...ATTRIBUTES.map(([text]) => text),
      '#if defined(X)\n#define I(n, ...) __attribute__((import_name(#n))) int n##_(__VA_ARGS__)\n#endif\nI(a, int b);',
      'asm(".import_module f, m"); int f(void), (*g)(void);',
    ],
    [
      '__attribute__',
      '((import_module("m")))',
      'import_name',
      '[[clang::import_name("n")]]',
      'int',
      'f(',
      'void',
      '*',
      ',',
      'asm',
      '\n#define f',
      '\n#if',
      '\n#else\n',
      '\n#endif\n',
      '##',
      'extern "C"',
      'struct',
      'typedef',
    ],
  );
});

test('edits that are offered fit together with those of other declarations', () => {
  const found = read(EXECUTOR);
  const all = found.flatMap((each) => each.removed() ?? []);
  assert.equal(all.length, found.length);
  assert.equal(line(edited(EXECUTOR, all)), '');
});
