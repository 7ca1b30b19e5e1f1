import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { moduleOf, section, text } from '../support/bytes.ts';
import { assemble } from '../support/wat.ts';
import {
  answerOf,
  assertBadInput,
  assertExit,
  assertOneLine,
  exampleModule,
  workspace,
} from './support.ts';

const IMPURE_WAT = `(module (import "env" "now" (func $now (result i64)))
  (memory (export "memory") 1 2) (func (export "plan") (drop (call $now))))`;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `check --format json` of DESIGN 10. */
const contract = z.strictObject({
  artifacts: z.array(
    z.strictObject({
      path: z.string(),
      sha256: sha256.nullable(),
      whitelist: z.strictObject({ name: z.string(), version: z.int(), hash: sha256 }),
      imports: z.array(
        z.strictObject({
          module: z.string(),
          name: z.string(),
          kind: z.enum(['function', 'table', 'memory', 'global', 'tag']),
          type: z.string(),
          class: z.enum(['pure', 'directive', 'impure']),
          category: z.string().optional(),
          offset: z.int().min(8),
        }),
      ),
      allImportsPure: z.boolean(),
      diagnostics: z.array(
        z.strictObject({
          code: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
          severity: z.enum(['error', 'warning', 'info']),
          message: z.string().min(1),
          location: z
            .strictObject({
              file: z.enum(['artifact', 'manifest', 'certificate']),
              offset: z.int().optional(),
              length: z.int().optional(),
              path: z.array(z.union([z.string(), z.int()])).optional(),
            })
            .optional(),
        }),
      ),
    }),
  ),
});

/** The one JSON document on stdout; anything beside it does not parse. */
const documentOf = (stdout: string) => contract.parse(JSON.parse(stdout));

describe('check', { concurrency: 4 }, () => {
  test('a pure executor: every import with its class, type and category, and the verdict', async (t) => {
    const here = workspace(t);
    const result = await here.run('check', await here.certified('call'));
    assert.equal(
      answerOf(result),
      [
        'call/build/call.wasm 170.1 KB',
        '  ✔ pure       mashin.get_input_len  () -> i32         context',
        '  ✔ pure       mashin.get_input      (i32) -> ()       context',
        '  → directive  mashin.call_machine   (i32, i32) -> ()  directive',
        '  ✔ pure       mashin.set_output     (i32, i32) -> ()  output',
        '  pure: all 4 imports are on mashin@1',
        '',
        '✔ call.wasm: pure, 0 errors, 0 warnings',
        '',
      ].join('\n'),
    );
  });

  test('an impure one: which import, the call path that needs it, and what to do; exit 1', async (t) => {
    const here = workspace(t);
    const stdout = answerOf(await here.run('check', here.example('impure/println')), 1);
    assert.match(stdout, /✖ impure {5}wasi_snapshot_preview1\.fd_write {11}\(i32, i32, i32, i32\)/);
    assert.match(stdout, /impure: 4 of 8 imports outside mashin@1/);
    assert.match(stdout, /✖ impure-import {2}wasi_snapshot_preview1\.fd_write/);
    assert.match(stdout, /reached by plan → [^✖]*→\s+fd_write/);
    assert.match(stdout, /fix `println!`/);
    assert.match(stdout, /\n✖ println\.wasm: not pure, 4 errors, 1 warning\n$/);
  });

  test('--brief lists the imports of each module by class', async (t) => {
    const here = workspace(t);
    here.example('echo');
    here.example('impure/abort');
    assert.equal(
      answerOf(await here.run('check', '--brief'), 1),
      [
        '✔ echo/build/echo.wasm',
        '    pure       mashin.get_input_len get_input set_output',
        '✖ impure/abort/build/abort.wasm  2 errors',
        '    pure       mashin.set_output get_input_len get_input',
        '    directive  mashin.call_machine',
        '    impure     env.abort seed',
        '✖ 2 modules: 1 pure, 2 errors, 1 warning',
        '',
      ].join('\n'),
    );
  });

  test('--format json follows the contract, for pure, impure and missing artifacts alike', async (t) => {
    const here = workspace(t);
    here.example('call');
    here.example('impure/println');
    here.write('gone/executor.json', { name: 'gone', version: '1.0.0', artifact: 'gone.wasm' });
    const { artifacts } = documentOf(answerOf(await here.run('check', '--format', 'json'), 1));
    const [call, gone, println] = artifacts;
    assert.deepEqual(
      artifacts.map(({ path }) => path),
      ['call/build/call.wasm', 'gone/gone.wasm', 'impure/println/build/println.wasm'],
    );
    assert.equal(call?.allImportsPure, true);
    assert.deepEqual(call?.imports[2], {
      module: 'mashin',
      name: 'call_machine',
      kind: 'function',
      type: '(i32, i32) -> ()',
      class: 'directive',
      category: 'directive',
      offset: call?.imports[2]?.offset,
    });
    const module = Buffer.from(exampleModule('call'));
    assert.equal(call?.imports[2]?.offset, module.indexOf('\u0006mashin\u000ccall_machine'));
    assert.equal(gone?.sha256, null);
    assert.deepEqual(gone?.diagnostics[0]?.code, 'artifact-missing');
    assert.equal(println?.allImportsPure, false);
    const impure = println?.imports.filter((entry) => entry.class === 'impure') ?? [];
    assert.equal(impure.length, 4);
    for (const entry of impure) assert.ok(!('category' in entry), 'an impure import has none');
    const codes = println?.diagnostics.map(({ code, severity }) => `${severity} ${code}`) ?? [];
    assert.deepEqual(codes.filter((code) => code === 'error impure-import').length, impure.length);
  });

  test('text modules are assembled', async (t) => {
    const here = workspace(t);
    const stdout = answerOf(await here.run('check', here.write('now.wat', IMPURE_WAT)), 1);
    assert.match(stdout, /✖ impure {2}env\.now {2}\(\) -> i64/);
  });

  test('a folder: executors and stray modules; not node_modules, nor what git ignores', async (t) => {
    const here = workspace(t);
    mkdirSync(here.path('.git'));
    here.write('.gitignore', 'target/\n*.tmp.wasm\n');
    here.example('call'); // its build folder belongs to it
    const module = exampleModule('echo');
    const named = ['a/stray.wasm', 'a/.hidden/x.wasm'];
    const skipped = [
      'node_modules/p/x.wasm',
      'a/node_modules/x.wasm',
      'target/x.wasm',
      'b.tmp.wasm',
    ];
    for (const path of [...named, ...skipped, '.git/x.wasm']) here.write(path, module);
    const json = answerOf(await here.run('check', '.', '--format', 'json'));
    assert.deepEqual(
      documentOf(json)
        .artifacts.map(({ path }) => path)
        .sort(),
      ['a/.hidden/x.wasm', 'a/stray.wasm', 'call/build/call.wasm'],
    );
    const asked = answerOf(await here.run('check', 'target/x.wasm', '--format', 'json'));
    assert.deepEqual(
      documentOf(asked).artifacts.map(({ path }) => path),
      ['target/x.wasm'],
    );
  });

  test('links to folders are not followed, so a circle of them ends', async (t) => {
    const here = workspace(t);
    here.write('a/x.wasm', exampleModule('echo'));
    symlinkSync('..', here.path('a', 'up'));
    const { artifacts } = documentOf(answerOf(await here.run('check', '--format', 'json')));
    assert.deepEqual(
      artifacts.map(({ path }) => path),
      ['a/x.wasm'],
    );
  });

  test('--whitelist decides in place of the built-in one', async (t) => {
    const here = workspace(t);
    here.write('clock.json', {
      name: 'clock',
      version: 3,
      functions: [
        {
          module: 'env',
          name: 'now',
          params: [],
          results: ['i64'],
          class: 'pure',
          category: 'compute',
          doc: 'The time.',
        },
      ],
    });
    here.write('now.wasm', assemble(IMPURE_WAT));
    const result = await here.run(
      'check',
      'now.wasm',
      '--whitelist',
      'clock.json',
      '--format',
      'json',
    );
    const [artifact] = documentOf(answerOf(result)).artifacts;
    assert.equal(artifact?.whitelist.name, 'clock');
    assert.equal(artifact?.whitelist.version, 3);
    assert.equal(artifact?.allImportsPure, true);
    assert.equal(artifact?.imports[0]?.category, 'compute');
  });

  test('finding nothing is no success', async (t) => {
    const here = workspace(t);
    mkdirSync(here.path('empty'));
    assertBadInput(await here.run('check', 'empty'), /empty: nothing to check/);
    const json = await here.run('check', 'empty', '--format', 'json');
    assertExit(json, 2);
    assert.deepEqual(documentOf(json.stdout), { artifacts: [] });
  });

  test('what is readable is answered although something is not; exit 2', async (t) => {
    const here = workspace(t);
    here.write('good.wasm', exampleModule('echo'));
    here.write('bad.wasm', 'no module');
    const asText = await here.run('check', 'good.wasm', 'bad.wasm', 'missing.wasm');
    assertExit(asText, 2);
    assert.match(asText.stdout, /✔ good\.wasm: pure/);
    assert.doesNotMatch(asText.stdout, /bad\.wasm/);
    assert.match(
      asText.stderr,
      /^touchstone: missing\.wasm: [^\n]+\ntouchstone: bad\.wasm: [^\n]+\n$|^touchstone: bad\.wasm: [^\n]+\ntouchstone: missing\.wasm: [^\n]+\n$/,
    );
    const asJson = await here.run('check', '.', '--format', 'json');
    assertExit(asJson, 2);
    const { artifacts } = documentOf(asJson.stdout);
    assert.deepEqual(
      artifacts.map(({ path }) => path),
      ['bad.wasm', 'good.wasm'],
    );
    assert.deepEqual(
      artifacts[0]?.diagnostics.map(({ code }) => code),
      ['invalid-module'],
    );
    assertOneLine(asJson, /bad\.wasm: not a /);
  });

  test('names from a stranger are escaped wherever they show', async (t) => {
    const here = workspace(t);
    const hostile = 'a\u001b[31mb\u202ec\nd\u0007\u200be';
    const type = [1, 0x60, 0, 0]; // () -> ()
    const imported = [1, ...text('env\r'), ...text(hostile), 0, 0];
    here.write('h.wasm', moduleOf(section(1, type), section(2, imported)));
    const { stdout, stderr } = await here.run('check', 'h.wasm');
    const escaped = 'env\\u{d}.a\\u{1b}[31mb\\u{202e}c\\u{a}d\\u{7}\\u{200b}e';
    assert.ok(stdout.includes(`✖ impure  ${escaped}  () -> ()`), stdout);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f\u200b\u202e]/);
    const [artifact] = documentOf(
      (await here.run('check', 'h.wasm', '--format', 'json')).stdout,
    ).artifacts;
    assert.equal(artifact?.imports[0]?.name, hostile, 'data is exact');
  });
});
