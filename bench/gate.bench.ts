// Cold admission: the gate's eight checks of one executor, without V8's compilation, against what
// they cannot do without: one SHA-256 of the file and one Ed25519 verification, both native.

import { createPublicKey, hash, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateKeyPem, publicKeyPem, signerFromSeed } from '../engine/crypto/keys.ts';
import { readLayout } from '../engine/module/walker.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { certificationBy } from './certification.ts';
import { measurePaired } from './paired.ts';
import { printReport } from './report.ts';

/** `code` without its names is of the size the bound is stated for; the others are as they ship. */
const EXECUTORS = [
  { name: 'call', file: 'call', strip: false },
  { name: 'reason', file: 'reason', strip: false },
  { name: 'minimal', file: 'minimal', strip: false },
  { name: 'code without names', file: 'code', strip: true },
];

const seed = nodeCrypto.randomBytes(32);
const certifier = signerFromSeed(nodeCrypto, seed);
const { gate, certify } = certificationBy(certifier);
const publicKey = createPublicKey(publicKeyPem(certifier.publicKey));
const message = new Uint8Array(64).fill(7);
const signature = sign(null, message, privateKeyPem(seed));

const rows: (string | number)[][] = [];
for (const { name, file, strip } of EXECUTORS) {
  const built = new Uint8Array(readFileSync(join('examples', file, 'build', `${file}.wasm`)));
  const bytes = strip ? withoutCustomSections(built) : built;
  const certificate = await certify(bytes, name);
  if (!gate.verify(bytes, certificate).every((check) => check.ok)) {
    throw new Error(`${name} was not admitted`);
  }
  const { subject, floor, ratio, undisturbed } = measurePaired(
    () => {
      gate.verify(bytes, certificate);
    },
    () => {
      hash('sha256', bytes, 'hex');
      verify(null, message, publicKey, signature);
    },
  );
  rows.push([
    name,
    bytes.length,
    certificate.length,
    floor.toFixed(1),
    subject.toFixed(1),
    ratio.toFixed(3),
    undisturbed.toFixed(3),
  ]);
}

/** The module without its custom sections, which mean nothing to its execution. */
function withoutCustomSections(bytes: Uint8Array): Uint8Array {
  const kept = [bytes.subarray(0, 8)];
  let position = 8;
  for (const { id, offset, size } of readLayout(bytes).sections) {
    if (id !== 0) kept.push(bytes.subarray(position, offset + size));
    position = offset + size;
  }
  return Uint8Array.from(kept.flatMap((part) => [...part]));
}

printReport({
  name: 'gate',
  columns: ['executor', 'bytes', 'certificate', 'floor µs', 'gate µs', 'ratio', 'undisturbed'],
  rows,
  note: `floor: SHA-256 of the file and one Ed25519 verification; ratio: median of gate / floor, call by
call; undisturbed: of the fastest tenths. Bound for the 121–133 KB executors: ratio ≤ 1.15.`,
});
