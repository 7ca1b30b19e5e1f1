import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../engine/encoding/json.ts';
import { createRedactor, redactingSecrets } from '../../../engine/governance/redact.ts';

function redactorOf(secrets: Readonly<Record<string, string>>) {
  const redactor = createRedactor();
  for (const [name, value] of Object.entries(secrets)) redactor.learn(name, value);
  return redactor;
}

const TOKEN = 'pa55/wörd+"x"\\ <y>';

/** Made by other encoders than the redactor's own. */
const FORMS: Readonly<Record<string, string>> = {
  itself: TOKEN,
  base64: Buffer.from(TOKEN).toString('base64'),
  base64url: Buffer.from(TOKEN).toString('base64url'),
  hex: Buffer.from(TOKEN).toString('hex'),
  HEX: Buffer.from(TOKEN).toString('hex').toUpperCase(),
  encodeURIComponent: encodeURIComponent(TOKEN),
  encodeURI: encodeURI(TOKEN),
  'in lower case': encodeURIComponent(TOKEN).replaceAll(/%../g, (code) => code.toLowerCase()),
  form: new URLSearchParams({ '': TOKEN }).toString().slice(1),
  'every byte': Buffer.from(TOKEN).toString('hex').replaceAll(/../g, '%$&'),
  JSON: JSON.stringify(TOKEN).slice(1, -1),
  PHP: 'pa55\\/w\\u00f6rd+\\"x\\"\\\\ <y>',
  Python: 'pa55/w\\u00f6rd+\\"x\\"\\\\ <y>',
  Go: 'pa55/wörd+\\"x\\"\\\\ \\u003cy\\u003e',
  '.NET': 'pa55/w\\u00F6rd\\u002B\\u0022x\\u0022\\\\ \\u003Cy\\u003E',
};

test('a secret is found in every form', () => {
  const { redactText } = redactorOf({ TOKEN });
  for (const [how, form] of Object.entries(FORMS)) {
    assert.equal(redactText(form), '[secret TOKEN]', how);
    assert.equal(redactText(`before ${form} after`), 'before [secret TOKEN] after', how);
    assert.equal(redactText(`x${form}${form}x`), 'x[secret TOKEN][secret TOKEN]x', how);
    assert.equal(redactText(form.slice(0, -5)), form.slice(0, -5), how);
  }
});

test('texts, keys and numbers of a value are looked through, and the rest stays the same', () => {
  const { redact } = redactorOf({ PIN: '12345678', KEY: 'k-secret' });
  const clean = { list: [1, null, true, { text: 'x' }] };
  const value = { clean, 'the k-secret': 1, n: [12345678, 123456789], '': ['k-secret'] };
  const redacted = redact(value);
  assert.deepEqual(redacted, {
    clean,
    'the [secret KEY]': 1,
    n: ['[secret PIN]', 123456789],
    '': ['[secret KEY]'],
  });
  assert.equal(Reflect.get(Object(redacted), 'clean'), clean);
  assert.equal(redact(clean), clean);
  const tricky = JSON.parse('{"__proto__": "k-secret", "k-secret": {"__proto__": 1}}');
  assert.equal(
    JSON.stringify(redact(tricky)),
    '{"__proto__":"[secret KEY]","[secret KEY]":{"__proto__":1}}',
  );
});

test('what is nested too deep is replaced, and does not exhaust the stack', () => {
  const { redact } = redactorOf({ KEY: 'k-secret' });
  const nested = (levels: number) => {
    let value: JsonValue = 'k-secret';
    for (let i = 0; i < levels; i++) value = [value];
    return value;
  };
  assert.match(JSON.stringify(redact(nested(200))), /^\[{200}"\[secret KEY\]"\]{200}$/);
  assert.match(JSON.stringify(redact(nested(100_000))), /^\[{200}"\[below 200 levels\]"\]{200}$/);
});

test('a short secret is known by its own text alone', () => {
  const { redactText } = redactorOf({ SHORT: 'ab"cd' });
  assert.equal(redactText('xab"cdx'), 'x[secret SHORT]x');
  for (const text of ['ab\\"cd', '6162226364', 'YWIiY2Q=', 'ab%22cd']) {
    assert.equal(redactText(text), text);
  }
});

test('an empty value is no secret, and the first name of a value counts', () => {
  const { learn, redactText } = redactorOf({ EMPTY: '', ONE: 'the-value' });
  assert.equal(redactText('x'), 'x');
  learn('TWO', 'the-value');
  assert.equal(redactText('the-value'), '[secret ONE]');
  learn('ONE', 'new-value');
  assert.equal(redactText('the-value, new-value'), '[secret ONE], [secret ONE]');
});

test('of secrets inside of others the longest is named, of overlapping ones each', () => {
  const { redactText } = redactorOf({
    INNER: 'middle',
    OUTER: 'in the middle of',
    TAIL: 'of it all',
  });
  assert.equal(redactText('in the middle of'), '[secret OUTER]');
  assert.equal(redactText('the middle'), 'the [secret INNER]');
  assert.equal(redactText('in the middle of it all'), '[secret OUTER][secret TAIL]');
  const periodic = redactorOf({ P: 'abcabc' }).redactText;
  assert.equal(periodic('xabcabcabcabcx'), 'x[secret P]x');
  assert.equal(redactorOf({ A: 'a'.repeat(3_000) }).redactText('a'.repeat(300_000)), '[secret A]');
});

test('a secret is learned as it is asked for', async () => {
  const redactor = createRedactor();
  const values = new Map([['KEY', 'k-secret']]);
  const secrets = redactingSecrets({ get: async (name) => values.get(name) }, redactor);
  assert.equal(redactor.redactText('k-secret'), 'k-secret');
  assert.equal(await secrets.get('KEY'), 'k-secret');
  assert.equal(redactor.redactText('k-secret'), '[secret KEY]');
  assert.equal(await secrets.get('OTHER'), undefined);
});

const secret = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', minLength: 6, maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 6, maxLength: 40 }),
  fc.base64String({ minLength: 8, maxLength: 40 }),
);
const around = fc.uint8Array({ maxLength: 12 });

/** What of the base64 of a longer byte string depends on `bytes` alone: found by varying the others. */
function base64Inside(bytes: Uint8Array, before: number): string {
  // Up to a whole number of digits, so that no padding follows.
  const after = 3 + ((6 - ((before + bytes.length) % 3)) % 3);
  const encode = (fill: number) =>
    Buffer.concat([Buffer.alloc(before, fill), bytes, Buffer.alloc(after, fill)]).toString(
      'base64',
    );
  const [low, high] = [encode(0x00), encode(0xff)];
  const same = Array.from(low, (digit, i) => digit === high[i]);
  return low.slice(same.indexOf(true), same.lastIndexOf(true) + 1);
}

function toUrl(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}

test('of the base64 of a longer text exactly what depends on the secret is covered', () => {
  for (const value of ['secret', 'secrets', 'a secret', 'ünï-code-söcret']) {
    const bytes = Buffer.from(value);
    for (const before of [0, 1, 2, 3, 4, 5]) {
      const inside = base64Inside(bytes, before);
      const surrounded = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(3, 0xff)]);
      for (const alphabet of ['base64', 'base64url'] as const) {
        const text = surrounded.toString(alphabet);
        assert.equal(
          redactorOf({ N: value }).redactText(text),
          text.replace(alphabet === 'base64' ? inside : toUrl(inside), '[secret N]'),
        );
      }
    }
  }
});

test('no form of a secret is left in a value, wherever it is', () => {
  fc.assert(
    fc.property(secret, around, around, fc.jsonValue(), (value, before, after, other) => {
      const bytes = Buffer.from(value);
      const long = Buffer.concat([before, bytes, after]);
      const texts = [
        value,
        long.toString('base64'),
        long.toString('base64url'),
        long.toString('hex'),
        long.toString('hex').toUpperCase(),
        encodeURIComponent(value),
        JSON.stringify({ value }),
      ];
      const wrapped = texts.map((text) => `${JSON.stringify(other)} ${text} ${text}`);
      const holder = { other: other as JsonValue, wrapped, keys: { [wrapped.join('')]: texts } };
      const redacted = JSON.stringify(redactorOf({ N: value }).redact(holder as JsonValue));
      const insides = [0, 1, 2].map((offset) => base64Inside(bytes, offset));
      const forms = [
        value,
        ...insides,
        ...insides.map(toUrl),
        bytes.toString('hex'),
        bytes.toString('hex').toUpperCase(),
        encodeURIComponent(value),
      ];
      const found = [...textsOf(JSON.parse(redacted))];
      for (const form of forms) {
        for (const text of found) assert.ok(!text.includes(form), JSON.stringify([form, text]));
      }
      assert.ok(found.some((text) => text.includes('[secret N]')));
    }),
    { numRuns: 500 },
  );
});

/** The texts and keys of a value. */
function* textsOf(value: JsonValue): Generator<string> {
  if (typeof value === 'string') yield value;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    yield key;
    yield* textsOf(member);
  }
}

test('a value without secrets is answered as it is', () => {
  const { redact } = redactorOf({ A: 'a secret that is nowhere', B: TOKEN });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.ok(Object.is(redact(value as JsonValue), value));
    }),
  );
});

/** The plain reading of what `redactText` is: every occurrence is looked for at every place. */
function redactPlainly(text: string, secrets: readonly string[]): string {
  const found = Array.from(text, (_, start) =>
    secrets
      .filter((value) => text.startsWith(value, start))
      .map((value) => ({ start, end: start + value.length, name: secrets.indexOf(value) })),
  ).flat();
  const parts = found.filter(
    (part) =>
      !found.some((other) => other !== part && other.start <= part.start && part.end <= other.end),
  );
  let answer = '';
  let at = 0;
  let last = -1;
  for (const { start, end, name } of parts) {
    answer += text.slice(at, start);
    if (start >= at || name !== last) answer += `[secret ${name}]`;
    at = end;
    last = name;
  }
  return answer + text.slice(at);
}

const dense = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 });
const denseText = fc.string({ unit: fc.constantFrom('a', 'b', 'b', 'c'), maxLength: 30 });

test('redacting is what a plain search for each secret at each place comes to', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(dense, { minLength: 1, maxLength: 4 }),
      denseText,
      (values, text) => {
        const { redactText } = redactorOf(Object.fromEntries(values.map((value, i) => [i, value])));
        assert.equal(redactText(text), redactPlainly(text, values));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a text in pieces is redacted as the whole is, however it is split', () => {
  const redactor = redactorOf({ TOKEN, OTHER: 'x"\\ <y>and more' });
  const text = Object.values(FORMS)
    .map((form) => `${form} and more; ${form.slice(0, 9)}, `)
    .join(FORMS.itself);
  const whole = redactor.redactText(text);
  for (let at = 0; at <= text.length; at++) {
    const stream = redactor.stream();
    assert.equal(
      stream.write(text.slice(0, at)) + stream.write(text.slice(at)) + stream.end(),
      whole,
    );
  }
  const byUnits = redactor.stream();
  assert.equal(text.split('').map(byUnits.write).join('') + byUnits.end(), whole);
  fc.assert(
    fc.property(
      fc.uniqueArray(dense, { minLength: 1, maxLength: 4 }),
      fc.array(denseText),
      (values, pieces) => {
        const names = Object.fromEntries(values.map((value, i) => [i, value]));
        const stream = redactorOf(names).stream();
        const answer = pieces.map(stream.write).join('') + stream.end();
        assert.equal(answer, redactorOf(names).redactText(pieces.join('')));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a stream holds back just what could become a secret', () => {
  const stream = redactorOf({ KEY: 'k-secret', LONG: 'k-secret-long' }).stream();
  const steps: readonly (readonly [string, string])[] = [
    ['nothing ', 'nothing '],
    ['here k', 'here '],
    ['-sec', ''],
    ['ond', 'k-second'],
    [' k-secre', ' '],
    ['t', ''],
    ['-l', ''],
    ['o!', '[secret KEY]-lo!'],
    ['k-secret-long', '[secret LONG]'],
    ['k-s', ''],
  ];
  for (const [piece, answer] of steps) assert.equal(stream.write(piece), answer, piece);
  assert.equal(stream.end(), 'k-s');
});

test('a stream heeds secrets that are learned while it goes on', () => {
  const redactor = redactorOf({ KEY: 'k-secret' });
  const stream = redactor.stream();
  assert.equal(stream.write('a k-se'), 'a ');
  redactor.learn('NEW', 'second thing');
  assert.equal(stream.write('cond thing, '), 'k-[secret NEW], ');
  assert.equal(stream.write('k-secret'), '[secret KEY]');
  assert.equal(stream.end(), '');
});
