// Rebuilds what the benchmarks run, or checks that the committed bytes are what their sources give.
//
//   node bench/build.mjs [--check]
//
// The toolchains are those of the examples, which examples/toolchains.json names: other versions give
// other bytes. Everything is built in copies in a temporary folder, so that no path of
// this machine can become part of the bytes.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const KERNELS = join(ROOT, 'bench/kernels');
const PLUGIN = join(ROOT, 'bench/peers/extism-call');
/** Where Debian's librust-*-dev packages put the sources of crates. */
const DEBIAN_CRATES = '/usr/share/cargo/registry';
// A version manager's programs of the same names are not the same builds.
const RUSTC = '/usr/bin/rustc';
const CARGO = '/usr/bin/cargo';
/** @type {Record<string, string>} */
const PROGRAMS = { rustc: RUSTC, cargo: CARGO };
const TOOLCHAINS = join(ROOT, 'examples/toolchains.json');

const check = process.argv.includes('--check');
const temporary = fs.mkdtempSync(join(tmpdir(), 'touchstone-bench-'));
try {
  requireToolchains();
  const outcomes = [...fs.readdirSync(join(KERNELS, 'src')).flatMap(buildKernel), buildPlugin()];
  const bad = outcomes.filter((outcome) => outcome === 'different').length;
  if (check && bad > 0) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  fs.rmSync(temporary, { recursive: true, force: true });
}

function requireToolchains() {
  const { rust, c } = JSON.parse(fs.readFileSync(TOOLCHAINS, 'utf8'));
  for (const { command, version } of [...rust.needs, ...c.needs]) {
    if (command === undefined) continue; // a file, without which the build itself fails
    const program = PROGRAMS[command] ?? command;
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (!stdout?.includes(version)) throw new Error(`${program} (${version}) is not installed`);
  }
}

/**
 * Builds `src/NAME.c`, `.rs` or `.ts` to `build/NAME.wasm`; files that others include are skipped.
 * MVP instructions only, which every tool reads that measures beside ours.
 *
 * @param {string} file in bench/kernels/src
 * @returns {string[]} `identical`, `different` or nothing
 */
function buildKernel(file) {
  const [name = '', extension] = file.split('.');
  const output = join(temporary, `${name}.wasm`);
  const object = join(temporary, `${name}.o`);
  const source = `src/${file}`;
  if (name === 'kernel') return [];
  if (extension === 'c') {
    const flags =
      '--target=wasm32 -mcpu=mvp -std=c23 -ffreestanding -fno-builtin -ffp-contract=off';
    const checks = '-Wall -Wextra -Wpedantic -Werror -Wno-c23-extensions';
    run('clang-19', [...flags.split(' '), ...checks.split(' '), '-O2', '-c', source, '-o', object]);
    run('wasm-ld-19', ['--no-entry', '--max-memory=16777216', '-o', output, object]);
  } else if (extension === 'rs') {
    run(RUSTC, [
      ...'--edition 2021 --crate-type cdylib --target wasm32-unknown-unknown -Dwarnings'.split(' '),
      ...'-Copt-level=2 -Cpanic=abort -Ccodegen-units=1 -Cstrip=debuginfo'.split(' '),
      ...['--crate-name', name, '-o', output, source],
    ]);
  } else if (extension === 'ts') {
    run(process.execPath, [
      join(ROOT, 'node_modules/assemblyscript/bin/asc.js'),
      ...[source, '-o', output, '-O3', '--runtime', 'stub', '--use', 'abort=', '--debug'],
      ...['bulk-memory', 'sign-extension', 'nontrapping-f2i'].flatMap((it) => ['--disable', it]),
    ]);
  } else {
    return [];
  }
  return [place(output, join(KERNELS, 'build', `${name}.wasm`))];
}

/**
 * The executor of examples/call, the same source, on Extism's interface.
 *
 * @returns {string} `identical` or `different`
 */
function buildPlugin() {
  const stage = join(temporary, 'tree');
  fs.cpSync(PLUGIN, join(stage, 'bench/peers/extism-call'), { recursive: true });
  for (const used of ['call/src', 'sdk/rust/src']) {
    fs.cpSync(join(ROOT, 'examples', used), join(stage, 'examples', used), { recursive: true });
  }
  const target = join(temporary, 'target');
  run(CARGO, ['build', '--release', '--locked', '--target', 'wasm32-unknown-unknown'], {
    cwd: join(stage, 'bench/peers/extism-call'),
    env: { ...process.env, RUSTC, CARGO_HOME: makeCargoHome(stage), CARGO_TARGET_DIR: target },
  });
  const built = join(target, 'wasm32-unknown-unknown/release/extism_call.wasm');
  return place(built, join(PLUGIN, 'build/extism-call.wasm'));
}

/**
 * A cargo home that takes crates from Debian's packages under the checksums of Cargo.lock, since
 * Debian leaves some of them out, and keeps the folders of this machine out of the bytes.
 *
 * @param {string} stage
 * @returns {string}
 */
function makeCargoHome(stage) {
  const crates = join(temporary, 'crates');
  const lock = fs.readFileSync(join(PLUGIN, 'Cargo.lock'), 'utf8');
  const locked = /^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"$/gm;
  for (const [, name, version, checksum] of lock.matchAll(locked)) {
    const crate = `${name}-${version}`;
    fs.cpSync(join(DEBIAN_CRATES, crate), join(crates, crate), { recursive: true });
    const record = JSON.stringify({ package: checksum, files: {} });
    fs.rmSync(join(crates, crate, '.cargo-checksum.json'), { force: true });
    fs.writeFileSync(join(crates, crate, '.cargo-checksum.json'), record);
  }
  const remapped = [`${crates}=cargo`, `${stage}=.`].map((pair) => `--remap-path-prefix=${pair}`);
  const home = join(temporary, 'cargo');
  fs.mkdirSync(home);
  fs.writeFileSync(
    join(home, 'config.toml'),
    [
      '[source.crates-io]\nreplace-with = "debian"',
      `[source.debian]\ndirectory = ${JSON.stringify(crates)}`,
      `[target.wasm32-unknown-unknown]\nrustflags = ${JSON.stringify(remapped)}`,
    ].join('\n'),
  );
  return home;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function run(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: KERNELS,
    encoding: 'utf8',
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
}

/**
 * Compares a built module with the committed one, which it replaces unless only a check is wanted.
 *
 * @param {string} built
 * @param {string} committed
 * @returns {'identical' | 'different'}
 */
function place(built, committed) {
  const bytes = fs.readFileSync(built);
  const before = fs.existsSync(committed) ? fs.readFileSync(committed) : Buffer.alloc(0);
  const outcome = bytes.equals(before) ? 'identical' : 'different';
  console.log(`${outcome}  ${committed.slice(ROOT.length + 1)}  ${bytes.length} bytes`);
  if (outcome === 'different' && !check) {
    fs.mkdirSync(dirname(committed), { recursive: true });
    fs.writeFileSync(committed, bytes);
  }
  return outcome;
}
