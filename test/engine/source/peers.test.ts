// The readers against the compilers: what a source declares is what the module that is made of it
// imports. Each text uses everything that it declares, since linkers drop the rest.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { inspectModule } from '../../../engine/module/report.ts';
import { readAssemblyScript } from '../../../engine/source/assemblyscript.ts';
import { readC, readCpp } from '../../../engine/source/c.ts';
import { readRust } from '../../../engine/source/rust.ts';
import type { EditableDeclaration } from '../../../engine/source/types.ts';
import { imports as declaredIn } from '../../support/declarations.ts';
import { grammars } from '../../support/grammars.ts';

/** A compiler of a language, as the machine has it. */
interface Compiler {
  readonly file: string;
  readonly command: string;
  args(source: string, out: string): readonly string[];
  read(text: string): Promise<readonly EditableDeclaration[]>;
}

const clang = (file: string, read: Compiler['read'], ...more: string[]): Compiler => ({
  file,
  command: 'clang-19',
  args: (source, out) => [
    '--target=wasm32',
    '-O1',
    '-ffreestanding',
    '-nostdlib',
    ...more,
    '-Wl,--no-entry',
    '-Wl,--export=plan',
    '-Wl,--allow-undefined',
    source,
    '-o',
    out,
  ],
  read,
});

const C = clang('plan.c', async (text) => readC(await grammars.parser('c'), text));
const CPP = clang(
  'plan.cpp',
  async (text) => readCpp(await grammars.parser('cpp'), text),
  '-std=c++20',
);
const RUST: Compiler = {
  file: 'lib.rs',
  // The system's own, whose library for WebAssembly is a package of it.
  command: '/usr/bin/rustc',
  args: (source, out) => [
    '--target=wasm32-unknown-unknown',
    '--crate-type=cdylib',
    '-Copt-level=1',
    '-Cpanic=abort',
    source,
    '-o',
    out,
  ],
  read: async (text) => readRust(await grammars.parser('rust'), text),
};
const ASSEMBLYSCRIPT: Compiler = {
  file: 'plan.ts',
  command: process.execPath,
  args: (source, out) => [
    join('node_modules', 'assemblyscript', 'bin', 'asc.js'),
    source,
    '--outFile',
    out,
    '--runtime',
    'stub',
    '--use',
    'abort=',
  ],
  read: async (text) =>
    readAssemblyScript(await grammars.parser('assemblyscript'), text, 'plan.ts'),
};

const TEXTS: readonly (readonly [Compiler, string])[] = [
  [
    C,
    `#include <stdint.h>
#define MASHIN(n) __attribute__((import_module("mashin"), import_name(#n)))
typedef unsigned int id;
MASHIN(get_input_len) int32_t length(void);
void http(const char *json, unsigned long n) __attribute__((__import_module__("mashin"), __import_name__("http_request")));
__attribute__((import_module("e" "nv"))) int64_t clock_now(id which, float a, double b), other(void);
__attribute__((import_name("renamed"))) extern _Bool flag(uint8_t, short, char *[2]);
// __attribute__((import_module("env"))) void commented(void);
#if defined(__wasm__) && !defined(_WIN32)
__attribute__((import_module("here"))) void here(int (*callback)(int));
#else
__attribute__((import_module("elsewhere"))) void here(void);
#endif
void plan(void) { http("", length()); other(); flag(1, 2, 0); here(0); clock_now(1, 2, 3); }
`,
  ],
  [
    CPP,
    `extern "C" {
[[clang::import_module("mashin"), clang::import_name("get_input_len")]] int length();
__attribute__((import_module("env"))) long long now(bool, const char &, unsigned char);
}
namespace host { __attribute__((import_module("env"), import_name("inner"))) void inner(float); }
__attribute__((import_module("env"))) void mangled(int, const char *);
extern "C" void plan() { now(length(), *"", 1); host::inner(1); mangled(1, ""); }
`,
  ],
  [
    RUST,
    `#[link(wasm_import_module = "mashin")]
extern "C" {
    fn get_input_len() -> i32;
    #[link_name = "http_request"]
    fn http(json: *const u8, len: usize);
}
mod inner {
    #[cfg_attr(target_arch = "wasm32", link(wasm_import_module = r#"env"#))]
    extern "C" {
        pub fn now(which: u8, a: f32, b: &mut u64) -> i64;
        #[cfg(not(target_arch = "wasm32"))]
        pub fn elsewhere();
    }
}
extern { fn bare(flag: bool, c: char) -> f64; }
/* extern "C" { fn blocked(); } */
#[no_mangle]
pub extern "C" fn plan() {
    unsafe { http(core::ptr::null(), get_input_len() as usize); inner::now(1, 2.0, &mut 3); bare(true, 'x'); }
}
`,
  ],
  [
    ASSEMBLYSCRIPT,
    `type Id = u32;
@external("mashin", "get_input_len") declare function length(): i32;
@external("renamed") declare function http(json: usize, n: Id): void;
declare function plain(a: i64, b: f32, c: f64, d: bool): u64;
namespace host { @external("env", "now") export declare function now(which: u8): i64; export declare function inner(): void; }
// @external("env", "commented") declare function commented(): void;
export function plan(): void { http(length(), 1); plain(1, 2, 3, true); host.now(1); host.inner(); }
`,
  ],
];

const requireAll = Boolean(process.env.TOUCHSTONE_REQUIRE_TOOLCHAINS);

describe('what a source declares is what its module imports', () => {
  for (const [{ file, command, args, read }, text] of TEXTS) {
    const isThere = spawnSync(command, ['--version']).status === 0;
    test(file, { skip: !isThere && !requireAll && `no ${command}` }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'touchstone-peers-'));
      try {
        const [source, out] = [join(folder, file), join(folder, 'plan.wasm')];
        writeFileSync(source, text);
        // asc names what it imports after the path from where it runs.
        const cwd = command === process.execPath ? folder : undefined;
        const [script, ...others] = args(cwd ? file : source, cwd ? 'plan.wasm' : out);
        const first = cwd && script !== undefined ? join(process.cwd(), script) : script;
        execFileSync(command, [first ?? '', ...others], { cwd, stdio: 'pipe' });
        const { imports } = inspectModule(nobleCrypto, new Uint8Array(readFileSync(out)));
        assert.deepEqual(
          [...declaredIn(await read(text))].sort(),
          imports.map(({ module, name, type }) => `${module}.${name} ${type}`).sort(),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
