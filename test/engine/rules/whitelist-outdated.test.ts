import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { parseWhitelist } from '../../../engine/whitelist/whitelist.ts';
import {
  certificateOf,
  codesOf,
  crypto,
  environment,
  examineAlone,
  MASHIN,
  oneFinding,
  PURE,
} from './support.ts';

const mashin2 = parseWhitelist(
  crypto,
  JSON.stringify({ ...MASHIN_1, version: 2 }),
  'mashin-2.json',
);

test('a certificate of an earlier whitelist is told with both versions', async () => {
  const certificate = await certificateOf(PURE);
  const asked = await examineAlone(PURE, {
    certificate,
    environment: environment({ whitelist: mashin2 }),
  });
  const found = oneFinding(asked, 'whitelist-outdated');
  assert.equal(found.message, 'certified against mashin@1; accepted here: mashin@2');
  assert.equal(found.severity, 'warning');
  const compared = await examineAlone(PURE, { certificate, whitelist: mashin2 });
  assert.match(
    oneFinding(compared, 'whitelist-outdated').message,
    /^certified against mashin@1 \([0-9a-f]{8}…\); in force is mashin@2 \([0-9a-f]{8}…\)$/,
  );
});

test('a policy that accepts the earlier version settles it', async () => {
  const certificate = await certificateOf(PURE);
  const gate = {
    ...environment({ whitelist: mashin2, policy: { whitelistVersions: { min: 1, max: 2 } } }),
    earlierWhitelists: [MASHIN],
  };
  assert.deepEqual(codesOf(await examineAlone(PURE, { certificate, environment: gate })), []);
});

test('a certificate of the whitelist in force is no finding', async () => {
  const certificate = await certificateOf(PURE, mashin2);
  assert.deepEqual(codesOf(await examineAlone(PURE, { certificate, whitelist: mashin2 })), []);
});
