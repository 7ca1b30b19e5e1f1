import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowed, parseCapability, TRUST_LEVELS } from '../../../engine/governance/trust.ts';
import type { TrustLevel } from '../../../engine/governance/types.ts';
import { CAPABILITIES, type Capability } from '../../../engine/whitelist/directives.ts';

/** REFERENCE 2, written out: a letter for each capability in the order of COLUMNS. */
const COLUMNS: readonly Capability[] = [
  'compute.llm.reason',
  'compute.exec',
  'memory',
  'machine.call',
  'net.http',
  'net.websocket',
  'fs',
  'db',
];
/** y: allowed without a declaration, d: allowed if declared, n: never. */
const MATRIX: readonly (readonly [TrustLevel, string])[] = [
  ['untrusted', 'ynnnnnnn'],
  ['tested', 'yyyynnnn'],
  ['evaluated', 'dddddddd'],
  ['reviewed', 'dddddddd'],
  ['stdlib', 'yyyyyyyy'],
  ['system', 'yyyyyyyy'],
];

test('Allowed(trust, capability, declared) is the table of the reference', () => {
  assert.deepEqual([...CAPABILITIES].sort(), [...COLUMNS].sort());
  for (const [trust, row] of MATRIX) {
    for (const [i, capability] of COLUMNS.entries()) {
      const cell = row[i];
      const others = COLUMNS.filter((other) => other !== capability);
      const where = `${trust}, ${capability}`;
      assert.equal(allowed(trust, capability, []), cell === 'y', where);
      assert.equal(allowed(trust, capability, others), cell === 'y', `${where}, others declared`);
      assert.equal(allowed(trust, capability, [capability]), cell !== 'n', `${where}, declared`);
    }
  }
});

test('trust levels are numbered 0 to 5', () => {
  assert.deepEqual(
    TRUST_LEVELS,
    MATRIX.map(([trust]) => trust),
  );
});

test('a capability is read in both spellings of the language model one', () => {
  assert.equal(parseCapability('compute.llm_reason'), 'compute.llm.reason');
  for (const capability of COLUMNS) assert.equal(parseCapability(capability), capability);
  assert.equal(parseCapability('toString'), undefined);
  assert.equal(parseCapability('net'), undefined);
});
