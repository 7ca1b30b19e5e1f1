import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { manifestError, parseManifest, readManifest } from '../../../engine/project/manifest.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';

const FULL = `{
  // comments are allowed
  "name": "call", "version": "1.0.0", "artifact": "./build/call.wasm",
  "source": ["src/lib.rs"], "build": "cargo build --release",
  "whitelist": "mashin@1", "entry": "plan", "tier": 1, /* here too */
  "trust": "reviewed", "capabilities": ["machine.call", "compute.llm_reason", "machine.call"],
  "limits": { "fuel": 7, "memoryPages": 64 },
  "cases": ["cases/*.json"]
}`;
const MINIMAL = { name: 'a', version: '1.0.0', artifact: 'a.wasm' };
const json = (more: object) => JSON.stringify({ ...MINIMAL, ...more });

function problemsOf(text: string) {
  const { problems } = readManifest(text);
  return problems.map(({ offset, length, message }) => [
    text.slice(offset, offset + length),
    message,
  ]);
}

function refusal(text: string | Uint8Array): string {
  try {
    parseManifest(text, 'executor.json');
  } catch (error) {
    assert.ok(error instanceof InputError && error.code === 'invalid-manifest');
    assert.ok(!error.message.includes('\n'));
    return error.message;
  }
  return '';
}

test('the manifest of the design is read, with its defaults filled in', () => {
  assert.deepEqual(parseManifest(FULL, 'executor.json'), {
    name: 'call',
    version: '1.0.0',
    artifact: 'build/call.wasm',
    source: ['src/lib.rs'],
    build: 'cargo build --release',
    whitelist: { kind: 'named', name: 'mashin', version: 1 },
    entry: 'plan',
    tier: 1,
    trust: 'reviewed',
    capabilities: ['machine.call', 'compute.llm.reason'],
    limits: { ...DEFAULT_LIMITS, fuel: 7, memoryPages: 64 },
    memoryProfile: undefined,
    budget: {},
    cases: ['cases/*.json'],
  });
  const least = parseManifest(encodeUtf8(`\uFEFF${json({})}`), 'executor.json');
  assert.deepEqual(
    [least.entry, least.tier, least.trust, least.limits, least.capabilities, least.source],
    ['plan', 1, 'untrusted', DEFAULT_LIMITS, [], []],
  );
});

test('a memory profile fixes the pages, and stands for itself', () => {
  const manifest = parseManifest(json({ limits: { memoryProfile: 'edge' } }), 'f');
  assert.equal(manifest.memoryProfile, 'edge');
  assert.equal(manifest.limits.memoryPages, 4);
  assert.match(
    refusal(json({ limits: { memoryProfile: 'edge', memoryPages: 4 } })),
    /: limits\.memoryProfile: a memory profile fixes the memory: leave out "memoryPages"/,
  );
  assert.match(
    refusal(json({ limits: { memoryProfile: 'edgy' } })),
    /limits\.memoryProfile: .*edge/,
  );
});

test('table elements, stack and the shares of the phases are limits like others', () => {
  const phaseMs = { plan: 200, govern: 50 };
  const limits = { tableElements: 9, stackBytes: 1_048_576, phaseMs };
  const manifest = parseManifest(json({ limits }), 'f');
  assert.deepEqual(manifest.limits, { ...DEFAULT_LIMITS, tableElements: 9, stackBytes: 1_048_576 });
  assert.deepEqual(manifest.budget, phaseMs);
  assert.match(refusal(json({ limits: { stackBytes: 1_048_577 } })), /limits\.stackBytes/);
  assert.match(refusal(json({ limits: { phaseMs: { pln: 1 } } })), /did you mean "?`?plan/);
  assert.match(refusal(json({ limits: { phaseMs: { plan: 0 } } })), /limits\.phaseMs\.plan/);
});

test('a whitelist is named, or a file that may lie beside the project', () => {
  const whitelist = (text: string) => parseManifest(json({ whitelist: text }), 'f').whitelist;
  assert.deepEqual(whitelist('acme.pay@12'), { kind: 'named', name: 'acme.pay', version: 12 });
  assert.deepEqual(whitelist('./acme@1'), { kind: 'file', path: 'acme@1' });
  assert.deepEqual(whitelist('../acme.json'), { kind: 'file', path: '../acme.json' });
  assert.match(refusal(json({ whitelist: '/etc/w.json' })), /whitelist: the path is absolute/);
});

test('a refusal names file, line, column, field and problem, and how many more there are', () => {
  assert.equal(
    refusal(FULL.replace('"fuel": 7', '"fuel": "7"').replace('"tier": 1', '"tier": 4')),
    'executor.json:5:53: tier: expected one of 1, 2, 3, found 4 (and 1 more)',
  );
});

test('every problem is told at its place, at once', () => {
  assert.deepEqual(
    problemsOf(`{ "name": "A", "versoin": "1", "limits": { "feul": 1, "fuel": 0.5 }, "capabilities": ["net.htp"],
      "trust": 3, "cases": "x", "limits": {} }`),
    [
      ['{', 'it is missing'],
      ['{', 'it is missing'],
      ['"A"', 'a name has at most 64 lower-case letters, digits, ".", "_" and "-"'],
      ['"versoin"', 'there is no field "versoin"; did you mean "version"?'],
      [
        '"net.htp"',
        'expected one of compute.exec, compute.llm.reason, db, fs, machine.call, memory, net.http, net.websocket, compute.llm_reason, found "net.htp"; did you mean "net.http"?',
      ],
      ['3', 'expected one of untrusted, tested, evaluated, reviewed, stdlib, system, found 3'],
      ['"x"', 'expected a list, found the text "x"'],
      ['"limits"', 'the key "limits" is written twice'],
    ],
  );
  assert.deepEqual(problemsOf(json({ limits: { feul: 1, fuel: 0.5, logBytes: -1 } })), [
    ['"feul"', 'there is no field "feul"; did you mean "fuel"?'],
    ['0.5', 'expected a whole number, found 0.5'],
    ['-1', 'it is too small: at least 1'],
  ]);
});

test('fields are found in the text', () => {
  const reading = readManifest(FULL);
  const at = (...path: (string | number)[]) => {
    const range = reading.locate(path);
    return range && reading.text.slice(range.offset, range.offset + range.length);
  };
  assert.equal(at('artifact'), '"./build/call.wasm"');
  assert.equal(at('capabilities', 1), '"compute.llm_reason"');
  assert.equal(at('limits', 'fuel'), '7');
  assert.equal(at('limits', 'logBytes'), undefined);
});

test('an artifact cannot be written so that it leads out of the project', () => {
  for (const artifact of [
    '../a.wasm',
    'build/../../a.wasm',
    '/a.wasm',
    'C:/a.wasm',
    'c:a.wasm',
    '..\\a.wasm',
    '\\\\host\\share\\a.wasm',
    'a\0.wasm',
    'a//b.wasm',
    'a/',
    '.',
    '',
    'x'.repeat(2000),
  ]) {
    assert.match(refusal(json({ artifact })), /: artifact: the path /, artifact);
    assert.equal(readManifest(json({ artifact })).artifact, undefined, artifact);
  }
});

test('sources may lie in a neighbouring folder, cases not', () => {
  const { source } = parseManifest(json({ source: ['../sdk/src/*.rs', './a'] }), 'f');
  assert.deepEqual(source, ['../sdk/src/*.rs', 'a']);
  assert.match(refusal(json({ source: ['a/../b'] })), /source\[0\]: .*at its beginning only/);
  assert.match(refusal(json({ cases: ['../*.json'] })), /cases\[0\]: .*inside the project/);
});

test('the artifact of a manifest with other problems is still known', () => {
  const reading = readManifest('{ "artifact": "./b/a.wasm", "tier": "one", ');
  assert.equal(reading.artifact, 'b/a.wasm');
  assert.equal(reading.manifest, undefined);
});

test('keys that other programs trip over are unknown fields', () => {
  for (const key of ['__proto__', 'constructor', 'toString']) {
    const text = `{ "${key}": { "name": "x" }, ${json({}).slice(1)}`;
    assert.deepEqual(problemsOf(text), [[`"${key}"`, `there is no field "${key}"`]]);
  }
  assert.equal(Object.hasOwn(Object.prototype, 'name'), false);
});

test('what is no JSON is told where it breaks', () => {
  assert.equal(refusal(''), 'executor.json:1:1: the file is empty');
  assert.equal(refusal('{ "name": "a" "b" }'), 'executor.json:1:15: expected "," (and 1 more)');
  assert.match(refusal('{ "name": "a", }'), /^executor\.json:1:16: /);
  assert.match(refusal('[]'), /^executor\.json:1:1: expected an object, found a list/);
  assert.match(refusal(Uint8Array.of(0xff, 0xfe)), /not valid UTF-8/);
  assert.match(refusal(json({ build: '\ud800' })), /half of a surrogate pair/);
});

test('hostile texts are refused at once', () => {
  for (const text of [
    '['.repeat(500_000),
    '{"a":'.repeat(150_000),
    `{"x":"${'y'.repeat(1_000_000)}"}`,
    `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
    `{${'"name":"a",'.repeat(80_000)}"name":"a"}`,
    '}'.repeat(1_000_000),
    ' '.repeat(2_000_000),
    json({ source: [`${'*a'.repeat(200)}b`] }),
  ]) {
    const reading = readManifest(text);
    assert.equal(reading.manifest, undefined);
    assert.ok(reading.problems.length > 0 && reading.problems.length <= 200);
    assert.ok(manifestError(reading, 'executor.json').message.length < 400);
  }
});

test('brackets that do not match hide no depth', () => {
  const { problems, manifest } = readManifest('[},'.repeat(80_000));
  assert.equal(manifest, undefined);
  assert.match(problems[0]?.message ?? '', /^nesting is deeper than \d+$/);
});
