import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, plain } from '../../../server/features/markdown.ts';

const SAID: readonly (readonly [text: string, escaped: string])[] = [
  ['mashin.get_input_len: 1,002 bytes (pure)', 'mashin.get_input_len: 1,002 bytes (pure)'],
  ['[x](command:evil)', '\\[x\\](command:evil)'],
  ['![x](y)', '!\\[x\\](y)'],
  ['<img src=x onerror=y>', '\\<img src=x onerror=y\\>'],
  ['**bold** and `code` | cell', '\\*\\*bold\\*\\* and \\`code\\` \\| cell'],
  ['_a_ snake_case __init', '\\_a\\_ snake_case \\_\\_init'],
  ['# heading', '\\# heading'],
  ['- item', '\\- item'],
  ['1. item', '1\\. item'],
  ['--- and a - b', '\\--- and a - b'],
  ['https://evil.example and www.evil.example', 'https\\://evil.example and www\\.evil.example'],
  ['me@evil.example but mashin@1', 'me\\@evil.example but mashin@1'],
  ['&lt;b&gt; ~~gone~~', '\\&lt;b\\&gt; \\~\\~gone\\~\\~'],
  ['a\nb', 'a\\\\u{a}b'],
];

for (const [text, escaped] of SAID) {
  test(`plain text stays text: ${JSON.stringify(text)}`, () => {
    assert.equal(plain(text), escaped);
  });
}

test('code holds whatever is in it', () => {
  assert.equal(code('a.b'), '`a.b`');
  assert.equal(code('a``b'), '```a``b```');
  assert.equal(code('`a'), '`` `a ``');
  assert.equal(code('a\n# b'), '`a\\u{a}# b`');
});
