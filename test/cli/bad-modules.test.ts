import assert from 'node:assert/strict';
import { closeSync, openSync, truncateSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BAD_MODULES, SUBTLY_BAD_MODULES } from '../support/bad-modules.ts';
import {
  assertBadInput,
  assertExit,
  assertOneLine,
  CLI,
  exampleModule,
  KEYS,
  type Workspace,
  workspace,
} from './support.ts';

const call = exampleModule('call');

/** Commands that need PATH to be a module, each with what else it asks for. */
function commands(here: Workspace): Readonly<Record<string, readonly string[]>> {
  here.write('policy.json', { format: 'policy/1', minimumTier: 3 });
  here.write('key.pem', KEYS.private);
  return {
    check: [],
    certify: ['--key', 'key.pem'],
    verify: [],
    run: ['--tier', '3', '--policy', 'policy.json'],
  };
}

describe('a file that is no module', { concurrency: 4 }, () => {
  for (const [name, bytes, problem] of BAD_MODULES) {
    test(`${name}: exit 2 and one line from each command`, async (t) => {
      const here = workspace(t);
      here.write('x.wasm', bytes);
      for (const [command, args] of Object.entries(commands(here))) {
        const result = await here.run(command, 'x.wasm', ...args);
        assertBadInput(result, problem);
        assert.match(result.stderr, /^touchstone: x\.wasm: /, 'says which file');
      }
    });
  }

  test('many at once: one line each, in order', async (t) => {
    const here = workspace(t);
    const all = [...BAD_MODULES, ...SUBTLY_BAD_MODULES];
    const names = all.map(([, bytes], i) =>
      here.write(`${String(i).padStart(2, '0')}.wasm`, bytes),
    );
    const result = await here.run('check', ...names);
    assertExit(result, 2);
    assert.equal(result.stdout, '');
    const lines = result.stderr.trimEnd().split('\n');
    assert.equal(lines.length, all.length);
    for (const [i, [name, , problem]] of all.entries()) {
      assert.ok(lines[i]?.startsWith(`touchstone: ${names[i]}: `), lines[i]);
      assert.match(lines[i] ?? '', problem, name);
    }
  });

  test('in JSON it is an artifact with its diagnostic, and exit code 2', async (t) => {
    const here = workspace(t);
    here.write('c.wasm', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
    const result = await here.run('check', 'c.wasm', '--format', 'json');
    assertExit(result, 2);
    assertOneLine(result, /component/);
    const { artifacts } = JSON.parse(result.stdout);
    assert.equal(artifacts.length, 1);
    assert.equal(artifacts[0].allImportsPure, false);
    assert.equal(artifacts[0].diagnostics[0].code, 'component-not-module');
  });

  test('text that does not assemble', async (t) => {
    const here = workspace(t);
    here.write('bad.wat', '(module\n  (func (export "plan") (nonsense)))\n');
    assertBadInput(await here.run('check', 'bad.wat'), /bad\.wat:2:\d+: /);
    here.write('latin1.wat', Uint8Array.of(0x28, 0xe9, 0x29));
    assertBadInput(await here.run('check', 'latin1.wat'), /latin1\.wat is not valid UTF-8/);
  });

  test('a sparse file of 1 GB is refused unread', async (t) => {
    const here = workspace(t);
    closeSync(openSync(here.path('x.wasm'), 'w'));
    truncateSync(here.path('x.wasm'), 1_000_000_000);
    for (const [command, args] of Object.entries(commands(here))) {
      const result = await here.run(command, 'x.wasm', ...args);
      assertBadInput(result, /x\.wasm: too large for a module: 1,000,000,000 bytes; at most/);
    }
  });
});

type Engine = typeof import('../../engine/index.ts');

describe('a real module cut off anywhere', { concurrency: 2 }, () => {
  let engine: Engine;
  let node: typeof import('../../engine/platform/node/index.ts');
  before(async () => {
    engine = await import(pathToFileURL(CLI.replace(/cli\.js$/, 'engine.js')).href);
    node = await import(pathToFileURL(CLI.replace(/cli\.js$/, 'node.js')).href);
  });

  /** Each of the first 300 lengths, and 230 spread over the rest. */
  const lengths = [
    ...Array.from({ length: 300 }, (_, i) => i),
    ...Array.from({ length: 230 }, (_, i) => 300 + Math.floor((i * (call.length - 301)) / 230)),
  ];

  test(`${lengths.length} lengths: refused by the engine with an offset within the file`, () => {
    const whitelist = engine.builtInWhitelist(node.nodeCrypto);
    let refused = 0;
    for (const length of lengths) {
      // A copy: V8 and the readers must not see what comes after the cut.
      const bytes = call.slice(0, length);
      const { artifact } = engine.examineModule(
        { path: 'call.wasm', contents: bytes },
        { crypto: node.nodeCrypto, whitelist },
      );
      // Between two sections a cut may leave a module that is whole.
      if (WebAssembly.validate(bytes)) continue;
      refused++;
      const [diagnostic, ...others] = artifact.diagnostics;
      assert.equal(diagnostic?.code, 'invalid-module', `cut to ${length} bytes`);
      assert.deepEqual(others, []);
      assert.deepEqual(artifact.imports, []);
      assert.equal(artifact.allImportsPure, false, 'no failure looks like "no imports"');
      const offset = Number(/at byte (\d+)/.exec(diagnostic.message)?.[1]);
      assert.ok(offset <= length, `byte ${offset} of ${length}`);
      assert.doesNotMatch(diagnostic.message, /\n/);
    }
    assert.ok(refused > lengths.length - 20, `${refused} were refused`);
  });

  test('a dozen of them, by the command line', async (t) => {
    const here = workspace(t);
    const cuts = [1, 7, 9, 50, 100, 200, 1_000, 20_000, 60_000, 80_000, 120_000, call.length - 1];
    const names = cuts.map((length) => {
      const bytes = call.slice(0, length);
      assert.equal(WebAssembly.validate(bytes), false);
      return here.write(`${String(length).padStart(6, '0')}.wasm`, bytes);
    });
    const result = await here.run('check', ...names);
    assertExit(result, 2);
    assert.equal(result.stdout, '');
    const lines = result.stderr.trimEnd().split('\n');
    assert.equal(lines.length, cuts.length);
    for (const [i, name] of names.entries()) {
      assert.match(lines[i] ?? '', new RegExp(`^touchstone: ${name}: not a .* at byte \\d+$`));
    }
  });

  test('an executor whose artifact was cut off', async (t) => {
    const here = workspace(t);
    await here.certified('call');
    here.write('call/build/call.wasm', call.slice(0, 5_000));
    assertBadInput(await here.run('check', 'call'), /call\/build\/call\.wasm: not a /);
    const verified = await here.run('verify', 'call');
    assertExit(verified, 1);
    assert.match(verified.stdout, /✖ 2 artifact-binding/, 'to the gate it is other bytes');
  });
});
