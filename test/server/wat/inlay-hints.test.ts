import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importHints } from '../../../server/wat/inlay-hints.ts';
import { MASHIN, openAt } from './support.ts';

const TEXT = `|(module
  (import "mashin" "get_input" (func (param i32)))
  (import "mashin" "http_request" (func (param i32 i32)))
  (import "mashin" "emit_event" (func (param i32 i32)))
  (import "mashin" "log" (func (type $nowhere)))
  (import "mashin" "log" (func))
  (func (import "env" "now")))`;

test('says behind each import what it is', () => {
  const { source, document } = openAt(TEXT);
  const whole = { start: source.positionAt(0), end: source.positionAt(source.getText().length) };
  const hints = importHints(source, document, whole, MASHIN);
  assert.deepEqual(
    hints.map(({ label, position }) => `${position.line}:${position.character} ${label}`),
    [
      '1:50 pure · context',
      '2:57 directive · http_request needs net.http',
      '3:55 directive · emit_event',
      '4:48 pure · logging',
      '5:32 impure · wrong type',
      '6:29 impure',
    ],
  );
});

test('says nothing outside of the range that is asked for', () => {
  const { source, document } = openAt(TEXT);
  const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 80 } };
  const hints = importHints(source, document, range, MASHIN);
  assert.deepEqual(
    hints.map(({ position }) => position.line),
    [2],
  );
});
