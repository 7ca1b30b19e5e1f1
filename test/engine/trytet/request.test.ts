import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_TRYTET_REQUEST_BYTES, parseTrytetRequest } from '../../../engine/trytet/request.ts';

const VOUCHER = {
  agent_id: 'ab',
  provider_id: 'p',
  fuel_limit: 1,
  expiry_timestamp: 2,
  nonce: 'n',
  signature: [1, 2],
};
const parse = (value: unknown) =>
  parseTrytetRequest(typeof value === 'string' ? value : JSON.stringify(value), 'a request');

test('the least that a request says is its memory; the rest is as Trytet has it', () => {
  assert.deepEqual(parse({ max_memory_mb: 64 }), {
    payload: undefined,
    alias: undefined,
    parent_snapshot_id: undefined,
    env: {},
    injected_files: {},
    allocated_fuel: 50_000_000n,
    max_memory_mb: 64,
    target_function: undefined,
    call_depth: 0,
    voucher: undefined,
    manifest: undefined,
    egress_policy: undefined,
  });
});

test('every field is read, null as absent where Trytet writes it', () => {
  const full = {
    payload: [0, 97, 255],
    alias: 'a',
    parent_snapshot_id: 's',
    env: { A: 'b' },
    injected_files: { 'x.txt': 'y' },
    allocated_fuel: 7,
    max_memory_mb: 1,
    target_function: 'f',
    call_depth: 3,
    voucher: VOUCHER,
    manifest: { deep: [1] },
    egress_policy: { hosts: [] },
  };
  assert.deepEqual(parse(full), {
    ...full,
    payload: Uint8Array.of(0, 97, 255),
    allocated_fuel: 7n,
    voucher: { ...VOUCHER, fuel_limit: 1n, expiry_timestamp: 2n },
  });
  const nulls = Object.fromEntries(
    [
      'payload',
      'alias',
      'parent_snapshot_id',
      'target_function',
      'voucher',
      'manifest',
      'egress_policy',
    ].map((field) => [field, null]),
  );
  assert.deepEqual(parse({ max_memory_mb: 1, ...nulls }), parse({ max_memory_mb: 1 }));
});

test('fuel of 64 bits is read exactly', () => {
  for (const fuel of [2n ** 53n + 1n, 2n ** 64n - 1n]) {
    const text = `{"max_memory_mb":1,"allocated_fuel":${fuel},"voucher":${JSON.stringify(VOUCHER).replace('"fuel_limit":1', `"fuel_limit":${fuel}`)}}`;
    const { allocated_fuel, voucher } = parse(text);
    assert.deepEqual([allocated_fuel, voucher?.fuel_limit], [fuel, fuel]);
  }
});

const base = '{"max_memory_mb":1}';
const field = (text: string) => base.replace('}', `,${text}}`);
for (const [name, document] of Object.entries<unknown>({
  nothing: '',
  'no object': [],
  'no memory': {},
  'memory as a fraction': '{"max_memory_mb":1.5}',
  'negative memory': '{"max_memory_mb":-1}',
  'memory beyond 32 bits': { max_memory_mb: 2 ** 32 },
  'an unknown field': field('"stdin":"x"'),
  'a key twice': field('"max_memory_mb":1'),
  'a lone surrogate': field('"alias":"\\ud800"'),
  'fuel beyond 64 bits': field('"allocated_fuel":18446744073709551616'),
  'fuel with an exponent': field('"allocated_fuel":1e6'),
  'fuel in quotes': field('"allocated_fuel":"1"'),
  'a payload in base64': field('"payload":"AGFzbQ=="'),
  'a payload with 256': field('"payload":[0,256]'),
  'a payload with a fraction': field('"payload":[0,1.5]'),
  'a payload with a huge number': field('"payload":[9007199254740993]'),
  'a payload with holes': field('"payload":[0,null]'),
  'an environment of numbers': field('"env":{"A":1}'),
  'an environment that is a list': field('"env":["A"]'),
  'files that are null': field('"injected_files":null'),
  'a depth beyond 32 bits': field('"call_depth":4294967296'),
  'a voucher with a field more': field(`"voucher":${JSON.stringify({ ...VOUCHER, note: 1 })}`),
  'deep nesting': field(`"manifest":${'['.repeat(500)}${']'.repeat(500)}`),
})) {
  test(`a document with ${name} is no request`, () => {
    assert.throws(() => parse(document), {
      code: /^invalid-(request|json)$/,
      message: /^a request/,
    });
  });
}

test('a document beyond the bound is refused before it is parsed', () => {
  const long = `${base}${' '.repeat(MAX_TRYTET_REQUEST_BYTES)}`;
  assert.throws(() => parse(long), { code: 'too-large' });
});

test('a payload of a million bytes is read', () => {
  const bytes = Array.from({ length: 1_000_000 }, (_, i) => i & 255);
  assert.deepEqual(parse({ max_memory_mb: 1, payload: bytes }).payload, Uint8Array.from(bytes));
});
