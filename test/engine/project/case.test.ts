import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CaseOutcome, compareCase, parseCase } from '../../../engine/project/case.ts';

const ok = (more: Partial<CaseOutcome> = {}): CaseOutcome => ({
  status: 'ok',
  result: { total: 3, lines: [1, 2] },
  directives: [{ type: 'http_request', url: 'x' }],
  ...more,
});
const expecting = (expect: string) =>
  parseCase(`{ "input": {}, "expect": ${expect} }`, 'c.json').expect;

test('a case says what goes in and what is expected', () => {
  assert.deepEqual(parseCase('{ "input": [1], "expect": { "result": null } }', 'c.json'), {
    input: [1],
    expect: { status: 'ok', result: null },
  });
});

test('what is no case is refused with the field at fault', () => {
  const refusal = (text: string) => {
    try {
      parseCase(text, 'c.json');
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };
  assert.equal(refusal('{ "expect": {} }'), 'c.json is not a case: input: it is missing');
  assert.match(refusal('{ "input": 1, "expect": { "stauts": "ok" } }'), /expect: .*stauts/);
  assert.match(
    refusal('{ "input": 1, "expect": { "directives": [{}] } }'),
    /expect\.directives\.0\.type/,
  );
  assert.match(refusal('[]'), /c\.json is not a case/);
  assert.match(refusal('{ "input": 1, "input": 2 }'), /written twice/);
});

test('a case holds where what it names is the same', () => {
  assert.deepEqual(compareCase(expecting('{}'), ok()), []);
  assert.deepEqual(compareCase(expecting('{"result":{"lines":[1,2],"total":3}}'), ok()), []);
  assert.deepEqual(
    compareCase(expecting('{"directives":[{"type":"http_request","url":"x"}]}'), ok()),
    [],
  );
  assert.deepEqual(compareCase(expecting('{"status":"trap"}'), ok({ status: 'trap' })), []);
});

test('differences are told by their path', () => {
  assert.deepEqual(
    compareCase(expecting('{"result":{"total":4,"lines":[1],"more":true},"directives":[]}'), ok()),
    [
      'result.total: expected 4, found 3',
      'result.lines[1]: not expected, found 2',
      'result.more: missing, expected true',
      'directives[0]: not expected, found {"type":"http_request","url":"x"}',
    ],
  );
  assert.deepEqual(compareCase(expecting('{"result":[]}'), ok({ result: {} })), [
    'result: expected [], found {}',
  ]);
});

test('a run that did not end well is not taken for one whose result is null', () => {
  assert.deepEqual(
    compareCase(expecting('{"result":null}'), ok({ status: 'trap', result: null })),
    ['status: expected ok, found trap'],
  );
});

test('keys of the prototype are keys like any others', () => {
  const { expect } = parseCase('{"input":1,"expect":{"result":{"__proto__":1}}}', 'c.json');
  assert.deepEqual(compareCase(expect, ok({ result: {} })), [
    'result.__proto__: missing, expected 1',
  ]);
  assert.deepEqual(
    compareCase(expecting('{"result":{}}'), ok({ result: JSON.parse('{"toString":1}') })),
    ['result.toString: not expected, found 1'],
  );
});

test('of many differences the first are told', () => {
  const list = JSON.stringify(Array.from({ length: 1000 }, (_, i) => i));
  const told = compareCase(expecting(`{"result":${list}}`), ok({ result: [] }));
  assert.equal(told.length, 21);
  assert.equal(told.at(-1), 'and 980 differences more');
});
