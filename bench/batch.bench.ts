// Runs a second of `touchstone batch` with one job and with two, in turns: of executors that compute
// for a while, where two jobs should do the work of two, and of one that does next to nothing, where
// what the command itself does for each run is the bound.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { certify } from '../engine/certificate/certify.ts';
import { signerFromSeed } from '../engine/crypto/keys.ts';
import { makeTrustStore, serializeTrustStore } from '../engine/gate/trust-store.ts';
import { inspectModule } from '../engine/module/report.ts';
import { assembleWat } from '../engine/module/wat.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { builtInWhitelist } from '../engine/whitelist/whitelist.ts';
import { printReport } from './report.ts';
import { quantile } from './turns.ts';

const CLI = resolve('dist', 'cli.js');
const ROUNDS = 5;

/** Executors by how often they go through their loop, and how many inputs they get. */
const EXECUTORS = [
  { name: 'next to nothing', turns: 1, inputs: 4_000 },
  { name: 'a million turns', turns: 1_000_000, inputs: 1_500 },
  { name: 'five million turns', turns: 5_000_000, inputs: 1_500 },
];

const source = (turns: number) => `(module
  (import "mashin" "set_output" (func $set_output (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "{\\"result\\":1}")
  (global $seed (mut i32) (i32.const 1))
  (func (export "plan") (local $turns i32)
    (local.set $turns (i32.const ${turns}))
    (loop $again
      (global.set $seed
        (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
      (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (call $set_output (i32.const 0) (i32.const 12))))`;

const certifier = signerFromSeed(nodeCrypto, nodeCrypto.randomBytes(32));
const folder = mkdtempSync(join(tmpdir(), 'touchstone-bench-'));
mkdirSync(join(folder, '.touchstone'));
writeFileSync(
  join(folder, '.touchstone', 'trust.json'),
  serializeTrustStore(makeTrustStore([{ key: certifier.publicKey, role: 'certifier' }])),
);

async function writeExecutor(turns: number): Promise<string> {
  const bytes = await assembleWat(source(turns), 'busy.wat');
  const artifactName = `busy-${turns}.wasm`;
  const result = await certify(nodeCrypto, {
    report: inspectModule(nodeCrypto, bytes),
    artifactName,
    whitelist: builtInWhitelist(nodeCrypto),
    certifier,
    issuedAt: Date.now(),
  });
  if (!result.certified) throw new Error(`not certified: ${result.reason}`);
  writeFileSync(join(folder, artifactName), bytes);
  writeFileSync(join(folder, `${artifactName}.purity.json`), result.bytes);
  return artifactName;
}

/** Runs a second, as the command counts them: from the first input to the last durable receipt. */
function rateOf(artifact: string, jobs: number): Promise<number> {
  const args = [CLI, 'batch', artifact, '--inputs', 'in.jsonl', '--jobs', String(jobs)];
  const limits = ['--fuel', '1000000000', '--timeout', '60000'];
  const child = spawn(process.execPath, [...args, ...limits], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (piece) => {
    said += piece;
  });
  return new Promise((done, failed) => {
    child.on('close', (code) => {
      const rate = /; ([\d,]+) a second\n$/.exec(said)?.[1];
      if (code === 0 && rate !== undefined) done(Number(rate.replaceAll(',', '')));
      else failed(new Error(`the batch ended with ${code}: ${said}`));
    });
  });
}

const rows: (string | number)[][] = [];
try {
  for (const { name, turns, inputs } of EXECUTORS) {
    const artifact = await writeExecutor(turns);
    const line = (_: unknown, i: number) => `{"context":{"i":${i}}}\n`;
    writeFileSync(join(folder, 'in.jsonl'), Array.from({ length: inputs }, line).join(''));
    const rates: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      const order = round % 2 === 0 ? ([1, 2] as const) : ([2, 1] as const);
      for (const jobs of order) rates[jobs - 1]?.push(await rateOf(artifact, jobs));
    }
    const [one, two] = rates;
    rows.push([
      name,
      inputs,
      Math.round(quantile(one, 0.5)),
      Math.round(quantile(two, 0.5)),
      quantile(
        two.map((rate, i) => rate / (one[i] ?? Number.NaN)),
        0.5,
      ).toFixed(2),
      (Math.max(...two) / Math.max(...one)).toFixed(2),
    ]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

printReport({
  name: 'batch',
  columns: ['executor', 'inputs', '1 job /s', '2 jobs /s', 'ratio', 'of the best'],
  rows,
  note: `Medians of ${ROUNDS} turns; ratio: median of 2 jobs / 1 job, turn by turn. Bound for executors that
compute for a while, on two cores that do nothing else: at least 1.7.`,
});
