import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { diffWhitelists, staysClassified } from '../../../engine/whitelist/diff.ts';
import { DIRECTIVES } from '../../../engine/whitelist/directives.ts';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { suggestFunction } from '../../../engine/whitelist/suggest.ts';
import type { WhitelistDocument, WhitelistFunction } from '../../../engine/whitelist/types.ts';
import { builtInWhitelist, parseWhitelist } from '../../../engine/whitelist/whitelist.ts';

const builtIn = builtInWhitelist(nodeCrypto);
const parse = (document: object) =>
  parseWhitelist(nodeCrypto, JSON.stringify(document), 'list.json');
const variant = (change: Partial<WhitelistDocument>) => parse({ ...MASHIN_1, ...change });

function refuses(source: string, message: RegExp): void {
  assert.throws(
    () => parseWhitelist(nodeCrypto, source, 'list.json'),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('mashin@1', () => {
  test('holds the host interface and a constructor for each directive, all documented', () => {
    const names = builtIn.functions.map((f) => f.name);
    assert.deepEqual(names.slice(0, 6), [
      'get_input_len',
      'get_input',
      'set_output',
      'log',
      'context_len',
      'context_read',
    ]);
    assert.deepEqual(names.slice(6), [...DIRECTIVES.keys()]);
    assert.equal(DIRECTIVES.size, 15);
    for (const f of builtIn.functions) {
      assert.equal(f.module, 'mashin');
      assert.ok(f.doc.length > 20, f.name);
    }
  });

  test('is the document it claims to be: its hash is that of its RFC 8785 form', () => {
    assert.equal(builtIn.hash, parse(MASHIN_1).hash);
    // Certificates name this hash, so that a change of the document is a change of version.
    assert.equal(builtIn.hash, '7524b825bd702e6654deb57dbb11a1e94078e8e3329fadc08a05e0bdbdfe9536');
  });

  test('every constructor takes a pointer and a length and is classed as a directive', () => {
    for (const tag of DIRECTIVES.keys()) {
      const entry = { module: 'mashin', name: tag, kind: 'function', type: '(i32, i32) -> ()' };
      assert.equal(builtIn.classify(entry).class, 'directive');
    }
  });
});

describe('classification', () => {
  const classify = (module: string, name: string, kind: string, type: string) => {
    const found = builtIn.classify({ module, name, kind, type });
    return found.class === 'impure' ? `impure: ${found.mismatch}` : found.class;
  };

  test('matches module, name, kind and type', () => {
    assert.equal(classify('mashin', 'get_input_len', 'function', '() -> i32'), 'pure');
    assert.equal(classify('mashin', 'get_input_len', 'function', '() -> i64'), 'impure: type');
    assert.equal(classify('mashin', 'get_input_len', 'memory', 'i32 1'), 'impure: type');
    assert.equal(classify('Mashin', 'get_input_len', 'function', '() -> i32'), 'impure: unknown');
    assert.equal(classify('mashin ', 'get_input_len', 'function', '() -> i32'), 'impure: unknown');
    assert.equal(classify('wasi_snapshot_preview1', 'fd_write', 'function', ''), 'impure: unknown');
  });

  test('names that objects have by nature are names like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '']) {
      assert.equal(classify('mashin', name, 'function', '() -> ()'), 'impure: unknown');
      assert.equal(classify(name, name, 'function', '() -> ()'), 'impure: unknown');
    }
  });
});

describe('a whitelist document', () => {
  test('is refused for what is wrong with it, by field', () => {
    refuses('{}', /list\.json: name: /);
    refuses('[]', /list\.json: Invalid input: expected object/);
    refuses(JSON.stringify({ ...MASHIN_1, version: 0 }), /version: /);
    refuses(JSON.stringify({ ...MASHIN_1, name: '../x' }), /name: /);
    refuses(JSON.stringify({ ...MASHIN_1, extra: 1 }), /"extra"/);
    refuses('{"name":"a","name":"b"}', /"name" is written twice/);
    const [first] = MASHIN_1.functions;
    const withFunction = (change: object) =>
      JSON.stringify({ ...MASHIN_1, functions: [{ ...first, ...change }] });
    refuses(withFunction({ class: 'impure' }), /functions\.0\.class/);
    refuses(withFunction({ params: ['i33'] }), /functions\.0\.params\.0/);
    refuses(
      withFunction({ class: 'directive', category: 'directive' }),
      /name their directive tag/,
    );
    refuses(withFunction({ directive: 'x' }), /name their directive tag/);
    refuses(
      JSON.stringify({ ...MASHIN_1, functions: [first, first] }),
      /lists mashin\.get_input_len twice/,
    );
  });

  test('has the same hash however it is written, and whoever signed it', () => {
    const reordered = Object.fromEntries(Object.entries(MASHIN_1).reverse());
    assert.equal(parse(reordered).hash, builtIn.hash);
    assert.equal(variant({ signatures: [{ keyId: 'k', signature: 's' }] }).hash, builtIn.hash);
    assert.notEqual(variant({ version: 2 }).hash, builtIn.hash);
  });
});

describe('evolution', () => {
  const extra: WhitelistFunction = {
    module: 'mashin',
    name: 'now_plan',
    params: [],
    results: ['i64'],
    class: 'pure',
    category: 'compute',
    doc: 'A function that is new in this version.',
  };
  const len = { module: 'mashin', name: 'get_input_len', kind: 'function', type: '() -> i32' };

  test('an addition is monotonic', () => {
    const diff = diffWhitelists(
      builtIn,
      variant({ version: 2, functions: [...MASHIN_1.functions, extra] }),
    );
    assert.deepEqual(
      diff.added.map((f) => f.name),
      ['now_plan'],
    );
    assert.equal(diff.monotonic, true);
    assert.equal(diff.sameVersionOtherContent, false);
  });

  test('a removal, another type and another class are not, and each is told as what it is', () => {
    const [first, second, ...rest] = MASHIN_1.functions;
    assert.ok(first && second);
    const removed = diffWhitelists(builtIn, variant({ functions: [second, ...rest] }));
    assert.deepEqual(
      removed.removed.map((f) => f.name),
      ['get_input_len'],
    );
    const retyped = diffWhitelists(
      builtIn,
      variant({ functions: [{ ...first, results: ['i64'] }, second, ...rest] }),
    );
    assert.deepEqual(
      retyped.retyped.map(({ after }) => after.name),
      ['get_input_len'],
    );
    const moved = diffWhitelists(
      builtIn,
      variant({ functions: [{ ...first, category: 'memory' }, second, ...rest] }),
    );
    assert.deepEqual(
      moved.reclassified.map(({ after }) => after.name),
      ['get_input_len'],
    );
    for (const diff of [removed, retyped, moved]) {
      assert.equal(diff.monotonic, false);
      assert.equal(diff.sameVersionOtherContent, true);
    }
  });

  test('says which certificates still classify', () => {
    const proved = [{ ...len, class: 'pure' }];
    assert.equal(staysClassified(proved, builtIn), true);
    const without = variant({ functions: MASHIN_1.functions.slice(1) });
    assert.equal(staysClassified(proved, without), false);
    assert.equal(staysClassified([{ ...len, type: '() -> i64', class: 'impure' }], builtIn), true);
  });
});

describe('"did you mean"', () => {
  const suggested = (module: string, name: string) =>
    suggestFunction(builtIn, { module, name })?.name;

  test('suggests what is a slip away, and nothing for what is not', () => {
    assert.equal(suggested('mashin', 'get_imput'), 'get_input');
    assert.equal(suggested('mashin', 'http_requets'), 'http_request');
    assert.equal(suggested('env', 'set_output'), 'set_output');
    assert.equal(suggested('mashin', 'spawn_process'), undefined);
    assert.equal(suggested('mashin', 'x'.repeat(10_000)), undefined);
  });
});
