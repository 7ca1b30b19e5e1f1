import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { assembleWat } from '../../../engine/module/wat.ts';
import { codesOf, examineAlone, findingsOf, oneFinding, PURE } from './support.ts';

test('bytes that are no module are told with the byte, and count as impure', async () => {
  const examination = await examineAlone(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0));
  const found = oneFinding(examination, 'invalid-module');
  assert.match(found.message, /7f 45 4c 46/);
  assert.deepEqual(found.location, { file: 'artifact', offset: 0 });
  assert.deepEqual(codesOf(examination), ['invalid-module']);
  assert.equal(examination.artifact.allImportsPure, false);
  assert.match(examination.artifact.sha256 ?? '', /^[0-9a-f]{64}$/);
});

test('a truncated module is pure only where what is left is a module of its own', async () => {
  const whole = await assembleWat(PURE, 'tried.wat');
  for (let length = 0; length < whole.length; length++) {
    const rest = whole.slice(0, length);
    const { artifact } = await examineAlone(rest);
    assert.equal(artifact.allImportsPure, WebAssembly.validate(rest), `${length} bytes`);
  }
});

test('text that does not assemble is of this rule', async () => {
  const error = new InputError('invalid-wat', 'tried.wat:1:9: unexpected token');
  assert.equal(oneFinding(await examineAlone(error), 'invalid-module').message, error.message);
});

test('a module is no finding', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'invalid-module'), []);
});
