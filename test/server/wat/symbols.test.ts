import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SymbolKind } from 'vscode-languageserver-types';
import { symbolsOf } from '../../../server/wat/symbols.ts';
import { openAt } from './support.ts';

test('lists the fields of a module under the names they go by', () => {
  const { source, document } = openAt(`|(module
    (type (func))
    (import "env" "now" (func (result i64)))
    (import "mashin" "log" (func $log (param i32 i32 i32)))
    (import "half")
    (memory (export "memory") 1)
    (func $plan (export "plan"))
    (func)
    (global $g\u202e i32 (i32.const 0))
    (export "again" (func $plan))
    (start $plan))`);
  const symbols = symbolsOf(source, document);
  assert.deepEqual(
    symbols.map(({ name, detail }) => `${name}: ${detail}`),
    [
      'type 0: type',
      '"now": import env.now () -> i64',
      '$log: import mashin.log (i32, i32, i32) -> ()',
      'import: ',
      '"memory": memory',
      '$plan: function exported as "plan"',
      'function 3: function',
      '$g\\u{202e}: global',
      '"again": export',
      'start: ',
    ],
  );
  assert.equal(symbols[5]?.kind, SymbolKind.Function);
  for (const { range, selectionRange } of symbols) {
    const [whole, part] = [range, selectionRange].map((each) => [
      source.offsetAt(each.start),
      source.offsetAt(each.end),
    ]);
    assert.ok(whole?.[0] !== undefined && part?.[0] !== undefined);
    assert.ok(whole[0] <= part[0] && Number(part[1]) <= Number(whole[1]));
  }
});
