import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalJson, type JsonValue, parseJson } from '../../../engine/encoding/json.ts';

function refuses(text: string | Uint8Array, message: RegExp): void {
  assert.throws(
    () => parseJson(text, 'doc'),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    },
  );
}

describe('parseJson', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(text.isWellFormed() && !/\\ud[89a-f]/.test(text));
        assert.deepEqual(parseJson(text, 'doc'), JSON.parse(text));
      }),
    );
  });

  test('a duplicate key is refused with its name and place, at any depth', () => {
    refuses('{"a":1,"b":2,"a":3}', /^doc: the key "a" is written twice, line 1 column 14$/);
    refuses('{"x":[{"k":1,\n  "k":2}]}', /the key "k" is written twice, line 2 column 3/);
    refuses('{"a":1,"\\u0061":2}', /the key "a" is written twice/);
    refuses('{"__proto__":1,"__proto__":2}', /the key "__proto__" is written twice/);
  });

  test('equal keys of different objects are no duplicates, nor are colons in strings', () => {
    assert.deepEqual(parseJson('{"a":{"a":":"},"b":["a:b","\\":"]}', 'doc'), {
      a: { a: ':' },
      b: ['a:b', '":'],
    });
  });

  test('a lone surrogate is refused, raw bytes that are not UTF-8 too', () => {
    refuses('"\\ud800"', /lone surrogate/);
    refuses('{"\\udc00":1}', /lone surrogate/);
    refuses(Uint8Array.of(0x22, 0xff, 0x22), /doc is not valid UTF-8/);
    assert.equal(parseJson('"\\ud83d\\ude00"', 'doc'), '😀');
  });

  test('a number beyond a double is refused', () => {
    refuses('[1e400]', /beyond the range of a double/);
  });

  test('nesting beyond the bound is refused at once, however deep', () => {
    refuses('['.repeat(1_000_000), /nesting is deeper than 200/);
    refuses('{"a":'.repeat(500), /nesting is deeper than 200/);
  });

  test('broken text is refused with line and column', () => {
    refuses('', /^doc: it is empty, line 1 column 1$/);
    refuses('{"a": }', /^doc: it is not valid JSON here, line 1 column 7$/);
    refuses('{"a":1,\n"b" 2}', /line 2 column 5/);
    refuses('{"a":1', /not valid JSON/);
    refuses('\u{feff}{}', /not valid JSON/);
  });

  test('__proto__ is a key like any other', () => {
    const value = parseJson('{"__proto__":{"x":1}}', 'doc');
    assert.equal(JSON.stringify(value), '{"__proto__":{"x":1}}');
    assert.equal(({} as { x?: number }).x, undefined);
  });
});

describe('canonicalJson', () => {
  test('RFC 8785 section 3.2.3: sorted by UTF-16 units', () => {
    const value = JSON.parse(
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}',
    );
    const order = [...canonicalJson(value).matchAll(/:"([A-Z][^"]*)"/g)].map((m) => m[1]);
    assert.deepEqual(order, [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test('RFC 8785 section 3.2.2: numbers, literals and strings of the example', () => {
    const text =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    assert.equal(
      canonicalJson(JSON.parse(text)),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('what it writes reads back as the same value and writes the same again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!/\\ud[89a-f]/.test(JSON.stringify(value)));
        const once = canonicalJson(value);
        const back = parseJson(once, 'doc');
        assert.equal(canonicalJson(back), once);
      }),
    );
  });

  test('it is what another implementation writes, whatever the order of keys', () => {
    const byUnits = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return value.map(byUnits);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, byUnits(item)]),
      );
    };
    const keys = fc.oneof(fc.string({ maxLength: 3 }), fc.nat(20).map(String));
    const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const expected = canonicalize(value);
        assert.equal(canonicalJson(value), expected);
        assert.equal(canonicalJson(byUnits(value)), expected);
      }),
    );
  });

  test('what is no plain data is written as the library writes it', () => {
    const deep = JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`);
    const things = [new Date(0), { at: new Date(0) }, Object('text'), [undefined, 1], deep];
    for (const thing of [...things, { a: undefined, b: 1 }, new Map([[1, 2]])]) {
      assert.equal(canonicalJson(thing), canonicalize(thing));
    }
  });

  test('a lone surrogate has no canonical form; an escaped backslash before "ud800" is none', () => {
    assert.throws(() => canonicalJson('\ud800'), InputError);
    assert.throws(() => canonicalJson('\\\ud800'), InputError);
    assert.equal(canonicalJson('\\ud800'), '"\\\\ud800"');
    assert.throws(() => canonicalJson(Number.NaN), InputError);
    assert.throws(() => canonicalJson({ a: [Number.POSITIVE_INFINITY] }), InputError);
    assert.throws(() => canonicalJson(undefined as unknown as JsonValue), InputError);
  });
});
