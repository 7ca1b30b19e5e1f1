// Rebuilds the executors in examples/, or checks that the committed bytes are what their
// sources give.
//
//   node scripts/examples.mjs [--check] [--require-all] [NAME…]
//
// Each example is built by the `build` command of its executor.json, in a copy of examples/ in a
// temporary folder, so that no path of this machine can become part of the bytes.
// examples/toolchains.json says what each needs; a toolchain that is missing, or is another
// version than the one the committed bytes came from, leaves its examples alone.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @typedef {{ command?: string, file?: string, module?: string, version?: string, from: string }} Need
 * @typedef {{ name: string, examples: string[], needs: Need[] }} Toolchain
 * @typedef {{ name: string, build: string, artifact: string }} Example
 * @typedef {{ root: string, env: NodeJS.ProcessEnv }} Stage
 * @typedef {'identical' | 'different' | 'rebuilt' | 'failed' | 'not built'} Status
 */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const EXAMPLES = join(ROOT, 'examples');
/** Where Debian's librust-*-dev packages put the sources of crates. */
const DEBIAN_CRATES = '/usr/share/cargo/registry';
const RUST_TARGETS = ['wasm32-unknown-unknown', 'wasm32-wasi'];

const { values: options, positionals: wanted } = parseArgs({
  options: { check: { type: 'boolean' }, 'require-all': { type: 'boolean' } },
  allowPositionals: true,
});

const temporary = fs.mkdtempSync(join(tmpdir(), 'touchstone-examples-'));
try {
  process.exitCode = main() ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  fs.rmSync(temporary, { recursive: true, force: true });
}

/** @returns {boolean} whether all is well */
function main() {
  const toolchains = selectToolchains(readToolchains(), wanted);
  const stage = makeStage(toolchains);
  /** @type {Status[]} */
  const statuses = [];
  for (const toolchain of toolchains) {
    const missing = toolchain.needs.filter((need) => !isMet(need));
    for (const name of toolchain.examples) {
      const status = missing.length > 0 ? 'not built' : rebuild(readExample(name), stage);
      console.log(`${status.padEnd(10)}  ${name}`);
      statuses.push(status);
    }
    for (const need of missing) console.log(`            ${describeMissing(toolchain, need)}`);
  }
  console.log(summarise(statuses));
  const bad = ['failed', options.check && 'different', options['require-all'] && 'not built'];
  return !statuses.some((status) => bad.includes(status));
}

/** @returns {Toolchain[]} */
function readToolchains() {
  const table = JSON.parse(fs.readFileSync(join(EXAMPLES, 'toolchains.json'), 'utf8'));
  const toolchains = Object.entries(table).map(([name, toolchain]) => ({ name, ...toolchain }));
  const listed = toolchains.flatMap((toolchain) => toolchain.examples);
  for (const folder of [EXAMPLES, join(EXAMPLES, 'impure')]) {
    for (const entry of fs.readdirSync(folder)) {
      const name = relative(EXAMPLES, join(folder, entry));
      const isExample = fs.existsSync(join(EXAMPLES, name, 'executor.json'));
      if (isExample && !listed.includes(name)) throw new Error(`${name} is not in toolchains.json`);
    }
  }
  return toolchains;
}

/**
 * @param {Toolchain[]} toolchains
 * @param {string[]} names of examples; none means all
 * @returns {Toolchain[]} with the named examples only
 */
function selectToolchains(toolchains, names) {
  const known = toolchains.flatMap((toolchain) => toolchain.examples);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Error(`no example ${unknown}; there are ${known.join(', ')}`);
  return toolchains
    .map((toolchain) => ({
      ...toolchain,
      examples: toolchain.examples.filter((name) => names.length === 0 || names.includes(name)),
    }))
    .filter((toolchain) => toolchain.examples.length > 0);
}

/**
 * @param {string} name
 * @returns {Example}
 */
function readExample(name) {
  const { build, artifact } = JSON.parse(
    fs.readFileSync(join(EXAMPLES, name, 'executor.json'), 'utf8'),
  );
  return { name, build, artifact };
}

/**
 * @param {Need} need
 * @returns {boolean}
 */
function isMet({ command, file, module, version }) {
  if (command) return findCommand(command, version) !== undefined;
  if (module) return moduleVersion(module) === version;
  return file !== undefined && fs.existsSync(file);
}

/**
 * The first program of that name and version. The system's folder comes first, since a version
 * manager's program of the same name and number is not the same build.
 *
 * @param {string} command
 * @param {string} [version] what `--version` must print
 * @returns {string | undefined} its path
 */
function findCommand(command, version) {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return folders
    .map((folder) => join(folder, command))
    .find((path) => fs.existsSync(path) && (!version || printedVersion(path).includes(version)));
}

/**
 * @param {string} path
 * @returns {string}
 */
function printedVersion(path) {
  return spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '';
}

/**
 * @param {string} name of a devDependency
 * @returns {string | undefined} the installed version
 */
function moduleVersion(name) {
  const manifest = join(ROOT, 'node_modules', name, 'package.json');
  return fs.existsSync(manifest)
    ? JSON.parse(fs.readFileSync(manifest, 'utf8')).version
    : undefined;
}

/**
 * @param {Toolchain} toolchain
 * @param {Need} need
 * @returns {string}
 */
function describeMissing(toolchain, { command, file, module, version, from }) {
  const what = command ?? file ?? module;
  const which = version ? ` (${version})` : '';
  const remedy = module ? `run ${from}` : `Debian package ${from}`;
  return `${toolchain.name} needs ${what}${which}: ${remedy}`;
}

/**
 * A copy of examples/ without built files, and an environment in which the build commands find
 * exactly the toolchains of the table.
 *
 * @param {Toolchain[]} toolchains
 * @returns {Stage}
 */
function makeStage(toolchains) {
  const root = join(temporary, 'tree');
  fs.cpSync(EXAMPLES, join(root, 'examples'), { recursive: true, filter: isSource });
  fs.copyFileSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  const modules = join(ROOT, 'node_modules');
  if (fs.existsSync(modules)) fs.symlinkSync(modules, join(root, 'node_modules'), 'junction');

  const home = join(temporary, 'home');
  fs.mkdirSync(home);
  const commands = linkCommands(toolchains);
  const cargoHome = makeCargoHome();
  return {
    root,
    env: {
      PATH: [commands, process.env.PATH].join(delimiter),
      HOME: home,
      LC_ALL: 'C',
      CARGO_HOME: cargoHome,
      CARGO_NET_OFFLINE: 'true',
      // What is not installed is missing; npx is not to fetch it.
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    },
  };
}

/**
 * @param {string} path
 * @returns {boolean}
 */
function isSource(path) {
  return relative(EXAMPLES, path) !== 'target' && !path.endsWith('.wasm');
}

/**
 * @param {Toolchain[]} toolchains
 * @returns {string} a folder of links to the toolchains' programs, to be first in PATH
 */
function linkCommands(toolchains) {
  const folder = join(temporary, 'bin');
  fs.mkdirSync(folder);
  for (const { command, version } of toolchains.flatMap((toolchain) => toolchain.needs)) {
    const path = command && findCommand(command, version);
    if (path) fs.symlinkSync(path, join(folder, command));
  }
  return folder;
}

/**
 * A cargo home that takes crates from Debian's packages, and keeps their folder out of the
 * bytes. Debian leaves some checksums out; the crates are linked under those of Cargo.lock,
 * which also fixes the versions.
 *
 * @returns {string}
 */
function makeCargoHome() {
  const crates = join(temporary, 'crates');
  fs.mkdirSync(crates);
  for (const { name, checksum } of lockedCrates()) {
    const source = join(DEBIAN_CRATES, name);
    if (!fs.existsSync(source)) continue;
    const crate = join(crates, name);
    fs.mkdirSync(crate);
    for (const entry of fs.readdirSync(source)) {
      fs.symlinkSync(join(source, entry), join(crate, entry));
    }
    fs.rmSync(join(crate, '.cargo-checksum.json'), { force: true });
    fs.writeFileSync(
      join(crate, '.cargo-checksum.json'),
      JSON.stringify({ package: checksum, files: {} }),
    );
  }

  const rustflags = JSON.stringify([`--remap-path-prefix=${crates}=cargo`, '-Dwarnings']);
  const config = [
    '[source.crates-io]\nreplace-with = "debian"',
    `[source.debian]\ndirectory = ${JSON.stringify(crates)}`,
    ...RUST_TARGETS.map((target) => `[target.${target}]\nrustflags = ${rustflags}`),
  ];
  const cargoHome = join(temporary, 'cargo');
  fs.mkdirSync(cargoHome);
  fs.writeFileSync(join(cargoHome, 'config.toml'), config.join('\n'));
  return cargoHome;
}

/** @returns {{ name: string, checksum: string }[]} the crates in Cargo.lock that are not ours */
function lockedCrates() {
  const lock = fs.readFileSync(join(EXAMPLES, 'Cargo.lock'), 'utf8');
  const entry = /^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"$/gm;
  return [...lock.matchAll(entry)].map(([, name, version, checksum]) => ({
    name: `${name}-${version}`,
    checksum: String(checksum),
  }));
}

/**
 * Builds one example in the stage and compares the artifact with the committed one, which it
 * replaces unless only a check is wanted.
 *
 * @param {Example} example
 * @param {Stage} stage
 * @returns {Status}
 */
function rebuild({ name, build, artifact }, stage) {
  const cwd = join(stage.root, 'examples', name);
  fs.mkdirSync(dirname(join(cwd, artifact)), { recursive: true });
  const run = spawnSync(build, { cwd, env: stage.env, shell: true, encoding: 'utf8' });
  if (run.status !== 0 || !fs.existsSync(join(cwd, artifact))) {
    console.error(`${name}: ${build}\n${run.stdout}${run.stderr}`);
    return 'failed';
  }
  const built = fs.readFileSync(join(cwd, artifact));
  const committed = join(EXAMPLES, name, artifact);
  const before = fs.existsSync(committed) ? fs.readFileSync(committed) : Buffer.alloc(0);
  if (built.equals(before)) return 'identical';
  if (options.check) {
    console.error(`${name}: ${describeDifference(before, built)}`);
    return 'different';
  }
  fs.mkdirSync(dirname(committed), { recursive: true });
  fs.writeFileSync(committed, built);
  return 'rebuilt';
}

/**
 * @param {Buffer} committed
 * @param {Buffer} built
 * @returns {string}
 */
function describeDifference(committed, built) {
  const first = built.findIndex((byte, offset) => byte !== committed[offset]);
  const offset = first < 0 ? built.length : first;
  return `committed ${committed.length} bytes, built ${built.length}, first difference at byte ${offset}`;
}

/**
 * @param {Status[]} statuses
 * @returns {string} such as `11 identical, 1 different`
 */
function summarise(statuses) {
  /** @type {Map<Status, number>} */
  const counts = new Map();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
}
