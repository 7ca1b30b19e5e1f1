// The languages in which executors are written: in each a pure, a directive, an impure, a mistyped and
// a commented-out import, found at the declaration, explained on hover and mended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CodeAction,
  type Diagnostic,
  type Hover,
  MarkupContent,
  type Range,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Client, codesOf, makeFolder, startClient } from './support/client.ts';

interface Example {
  readonly file: string;
  readonly languageId: string;
  readonly text: string;
  /** What marks the impure import, the mistyped one and the misspelt one. */
  readonly marks: readonly [impure: string, mistyped: string, misspelt: string];
  /** A piece of the pure and of the directive's declaration, to hover over. */
  readonly hovers: readonly [pure: string, directive: string];
}

const EXAMPLES: readonly Example[] = [
  {
    file: 'plan.wat',
    languageId: 'wat',
    text: `(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  (import "mashin" "http_request" (func $http (param i32 i32)))
  (import "env" "now" (func $now (result i64)))
  (import "mashin" "log" (func $log (param i32)))
  (import "mashin" "get_inputt" (func $input (param i32)))
  ;; (import "env" "commented" (func))
  (; (import "env" "blocked" (func)) ;)
  (memory (export "memory") 1 4)
  (func (export "plan") (drop (call $len)) (drop (call $now))))
`,
    marks: ['now', 'log', 'get_inputt'],
    hovers: ['get_input_len', 'http_request'],
  },
  {
    file: 'lib.rs',
    languageId: 'rust',
    text: `#[link(wasm_import_module = "mashin")]
unsafe extern "C" {
    safe fn get_input_len() -> i32;
    fn http_request(json: *const u8, len: usize);
    fn log(level: i32);
    fn get_inputt(to: *mut u8);
    // fn commented();
}
#[link(wasm_import_module = "env")]
extern "C" {
    #[link_name = "now"]
    fn clock() -> i64;
    /* fn blocked(); */
}
const TEXT: &str = r#"extern "C" { fn quoted(); }"#;
`,
    marks: ['"now"', 'log', 'get_inputt'],
    hovers: ['get_input_len', 'http_request'],
  },
  {
    file: 'index.ts',
    languageId: 'typescript',
    text: `@external("mashin", "get_input_len") declare function inputLength(): i32;
@external("mashin", "http_request") export declare function http(json: usize, length: i32): void;
@external("env", "now") declare function clock(): i64;
@external("mashin", "log") declare function log(level: i32): void;
@external("mashin", "get_inputt") declare function read(to: usize): void;
// @external("env", "commented") declare function commented(): void;
/* @external("env", "blocked") declare function blocked(): void; */
const text = '@external("env", "quoted") declare function quoted(): void;';
`,
    marks: ['"now"', '"log"', '"get_inputt"'],
    hovers: ['get_input_len', 'http_request'],
  },
  {
    file: 'plan.c',
    languageId: 'c',
    text: `#define MASHIN(name) __attribute__((import_module("mashin"), import_name(#name)))
__attribute__((import_module("mashin"), import_name("get_input_len"))) int input_length(void);
void http(const char *json, int length) __attribute__((import_module("mashin"), import_name("http_request")));
__attribute__((import_module("env"), import_name("now"))) long long clock_now(void);
__attribute__((import_module("mashin"), import_name("log"))) void write_log(int level);
__attribute__((import_module("mashin"), import_name("get_inputt"))) void read_input(char *to);
// __attribute__((import_module("env"))) void commented(void);
/* __attribute__((import_module("env"))) void blocked(void); */
#if 0
__attribute__((import_module("env"))) void left_out(void);
#endif
const char *text = "__attribute__((import_module(\\"env\\"))) void quoted(void);";
`,
    marks: ['"now"', '"log"', '"get_inputt"'],
    hovers: ['get_input_len', 'http_request'],
  },
  {
    file: 'plan.cpp',
    languageId: 'cpp',
    text: `extern "C" {
[[clang::import_module("mashin"), clang::import_name("get_input_len")]] int input_length();
__attribute__((import_module("mashin"), import_name("http_request"))) void http(const char *json, int length);
__attribute__((import_module("env"), import_name("now"))) long long clock_now();
__attribute__((import_module("mashin"), import_name("log"))) void write_log(int level);
__attribute__((import_module("mashin"), import_name("get_inputt"))) void read_input(char *to);
// __attribute__((import_module("env"))) void commented();
}
`,
    marks: ['"now"', '"log"', '"get_inputt"'],
    hovers: ['get_input_len', 'http_request'],
  },
  {
    file: 'plan.zig',
    languageId: 'zig',
    text: `extern "mashin" fn get_input_len() i32;
pub extern "mashin" fn http_request(json: [*]const u8, len: usize) void;
extern fn now() i64;
extern "mashin" fn log(level: i32) void;
extern "mashin" fn get_inputt(to: [*]u8) void;
// extern "env" fn commented() void;
const text = "extern fn quoted() void;";
`,
    marks: ['now', 'log', 'get_inputt'],
    hovers: ['get_input_len', 'http_request'],
  },
  {
    file: 'plan.go',
    languageId: 'go',
    text: `package main

//go:wasmimport mashin get_input_len
func inputLength() int32

//go:wasmimport mashin http_request
func http(json *byte, length int32)

//go:wasmimport env now
func clock() int64

//go:wasmimport mashin log
func writeLog(level int32)

//go:wasmimport mashin get_inputt
func readInput(to *byte)

// go:wasmimport env commented
/*
//go:wasmimport env blocked
func blocked()
*/
var text = "//go:wasmimport env quoted"
`,
    marks: ['now', 'log', 'get_inputt'],
    hovers: ['get_input_len', 'http_request'],
  },
];

const CODES = ['impure-import', 'import-type-mismatch', 'unknown-host-function'] as const;

for (const { file, languageId, text, marks, hovers } of EXAMPLES) {
  test(`${file}: pure, directive, impure, mistyped, misspelt and commented-out imports`, async () => {
    // AssemblyScript is what a project says it is: any other .ts file is nobody's business here.
    const manifest = { name: 'tried', version: '1.0.0', artifact: 'x.wasm', source: ['src/*'] };
    const name = `src/${file}`;
    using folder = makeFolder({ 'executor.json': JSON.stringify(manifest), [name]: text });
    await using client = await startClient({ folders: [folder.root] });
    await client.until(folder.uri('executor.json'), (found) => found.length > 0);
    const uri = folder.uri(name);
    client.open(uri, languageId, text);
    const document = TextDocument.create(uri, languageId, 1, text);

    const found = (await client.until(uri, (all) => all.length >= 3)).filter(isAboutImport);
    assert.deepEqual(codesOf(found).toSorted(), [...CODES].toSorted());
    for (const [i, code] of CODES.entries()) {
      const diagnostic = found.find((each) => each.code === code);
      assert.equal(diagnostic && document.getText(diagnostic.range), marks[i], code);
    }
    assert.doesNotMatch(JSON.stringify(found), /commented|blocked|quoted|left_out/);

    const [pure, directive] = hovers;
    assert.match(await hoverAt(client, document, pure), /pure.*context/);
    assert.match(await hoverAt(client, document, directive), /directive[\s\S]*net.{0,6}http/);
    assert.match(await hoverAt(client, document, marks[0]), /impure/);

    await applyFix(
      client,
      document,
      found,
      'unknown-host-function',
      /Import mashin.get_input instead/,
    );
    await applyFix(client, document, found, 'import-type-mismatch', /Declare mashin.log as/);
  });
}

function isAboutImport({ code }: Diagnostic): boolean {
  return CODES.some((each) => each === code);
}

async function hoverAt(client: Client, document: TextDocument, piece: string): Promise<string> {
  const position = document.positionAt(document.getText().indexOf(piece) + 1);
  const hover: Hover | null = await client.connection.sendRequest('textDocument/hover', {
    textDocument: { uri: document.uri },
    position,
  });
  assert.ok(hover && MarkupContent.is(hover.contents));
  return hover.contents.value.replaceAll(/\\([^\w\s])/g, '$1');
}

/** Applies the fix of a finding to a copy of the document, and sees the finding go. */
async function applyFix(
  client: Client,
  document: TextDocument,
  found: readonly Diagnostic[],
  code: string,
  title: RegExp,
): Promise<void> {
  const diagnostic = found.find((each) => each.code === code);
  assert.ok(diagnostic);
  const fix = (await actionsAt(client, document.uri, diagnostic.range)).find((each) =>
    title.test(each.title),
  );
  const edits = fix?.edit?.changes?.[document.uri];
  assert.ok(edits, `${code} has a fix`);
  client.change(document.uri, TextDocument.applyEdits(document, edits));
  const left = await client.until(document.uri, (all) => !codesOf(all).includes(code));
  assert.equal(left.filter(isAboutImport).length, found.length - 1);
  client.change(document.uri, document.getText());
  await client.until(document.uri, (all) => codesOf(all).includes(code));
}

function actionsAt(client: Client, uri: string, range: Range): Promise<CodeAction[]> {
  return client.connection.sendRequest('textDocument/codeAction', {
    textDocument: { uri },
    range,
    context: { diagnostics: [] },
  });
}
