import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../../../engine/encoding/json.ts';
import { describeMisshape } from '../../../engine/governance/directive-shape.ts';
import type { Directive } from '../../../engine/runtime/types.ts';
import { DIRECTIVES } from '../../../engine/whitelist/directives.ts';
import { WELL_FORMED } from './well-formed.ts';

function misshape(directive: Directive): string | undefined {
  const kind = DIRECTIVES.get(directive.type);
  assert.ok(kind);
  return describeMisshape(directive, kind);
}

test('every directive of the table has a form that passes', () => {
  assert.deepEqual([...WELL_FORMED.keys()].sort(), [...DIRECTIVES.keys()].sort());
  for (const directive of WELL_FORMED.values()) assert.equal(misshape(directive), undefined);
});

test('without a required parameter no directive passes, without an optional one each does', () => {
  for (const directive of WELL_FORMED.values()) {
    for (const parameter of DIRECTIVES.get(directive.type)?.parameters ?? []) {
      const { [parameter.name]: _, ...rest } = directive;
      assert.equal(
        misshape({ ...rest, type: directive.type }),
        parameter.optional ? undefined : `"${parameter.name}" is missing`,
      );
    }
  }
});

test('a parameter of another type is refused', () => {
  const wrong: Readonly<Record<string, readonly JsonValue[]>> = {
    string: [null, 1, true, [], {}],
    object: [null, 1, 'text', []],
    array: [null, 1, 'text', {}],
    any: [],
  };
  for (const directive of WELL_FORMED.values()) {
    for (const { name, type } of DIRECTIVES.get(directive.type)?.parameters ?? []) {
      for (const value of wrong[type] ?? []) {
        assert.match(misshape({ ...directive, [name]: value }) ?? '', /^"\w+" must be an? /);
      }
    }
  }
});

test('a text that is not among the allowed ones is refused, naming those', () => {
  assert.equal(
    misshape({ type: 'http_request', method: 'get', url: 'https://a.example/' }),
    '"method" must be one of GET, POST, PUT, DELETE, PATCH',
  );
});

test('an unknown parameter is refused, also one that objects inherit', () => {
  for (const directive of WELL_FORMED.values()) {
    assert.equal(misshape({ ...directive, shell: true }), '"shell" is not a parameter');
    assert.equal(misshape({ ...directive, toString: 'x' }), '"toString" is not a parameter');
  }
  const proto: Directive = JSON.parse('{"type":"broadcast","event":1,"__proto__":{"a":1}}');
  assert.equal(misshape(proto), '"__proto__" is not a parameter');
});
