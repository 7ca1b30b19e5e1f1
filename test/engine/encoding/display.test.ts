import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { displayText } from '../../../engine/encoding/display.ts';

describe('displayText', () => {
  test('ordinary names in any script stay as they are', () => {
    for (const name of ['fd_write', 'größe', '関数', 'a b', 'core::fmt::Write<T>', '😀']) {
      assert.equal(displayText(name), name);
    }
  });

  test('what would fool a terminal or an editor is escaped', () => {
    assert.equal(displayText('a\u001b[31mred'), 'a\\u{1b}[31mred');
    assert.equal(displayText('a\u202eb'), 'a\\u{202e}b');
    assert.equal(displayText('a\u200bb\u2028c\u00a0d'), 'a\\u{200b}b\\u{2028}c\\u{a0}d');
    assert.equal(displayText('line\nbreak'), 'line\\u{a}break');
  });

  test('an escape cannot be forged', () => {
    assert.equal(displayText('\\u{1b}'), '\\\\u{1b}');
  });

  test('a long name loses its middle, and never half a character', () => {
    const shown = displayText(`begin${'😀'.repeat(500)}end`, 41);
    assert.ok(shown.startsWith('begin') && shown.endsWith('end') && shown.includes('…'));
    assert.ok(shown.isWellFormed());
  });

  test('no control character survives, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        assert.doesNotMatch(displayText(name), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
