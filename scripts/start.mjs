// npm start: the main job on the examples, by the command line itself, as a person would type it.
// Everything it writes goes into .touchstone/start, which git ignores.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { ensureBuilt } from './build.mjs';
import { ROOT, say } from './prepare.mjs';

const WORK = '.touchstone/start';
const KEY = `${WORK}/certifier.pem`;
const TRUST = `${WORK}/trust.json`;
const CERTIFICATE = `${WORK}/call.purity.json`;
const RECEIPTS = `${WORK}/receipts`;
const ENVIRONMENT = '.touchstone/environment.pem.pub';
const MEMORY_CERTIFICATE = `${WORK}/memory.purity.json`;
const MEMORY_CASE = 'examples/memory/cases/stores-recalls-and-forgets-in-order.json';
const CASE = 'examples/call/cases/calls-one-machine-with-expanded-inputs.json';

await ensureBuilt();
rmSync(join(ROOT, WORK), { recursive: true, force: true });
mkdirSync(join(ROOT, WORK), { recursive: true });

step('The examples: what each imports, and its class');
touchstone(1, 'check', '--brief', 'examples');

step('An impure executor is refused: which import, why it is there, what to do');
touchstone(1, 'check', 'examples/impure/println');

step('A certificate: refused to the impure one, issued to a pure one');
touchstone(0, 'keys', 'generate', '--out', KEY);
touchstone(0, 'keys', 'trust', `${KEY}.pub`, '--trust', TRUST);
touchstone(1, 'certify', 'examples/impure/println', '--key', KEY);
touchstone(0, 'certify', 'examples/call', '--key', KEY, '--out', CERTIFICATE);

step("The gate's checks");
const admission = ['--certificate', CERTIFICATE, '--trust', TRUST];
touchstone(0, 'verify', 'examples/call', ...admission);

step('A run behind the gate: directives, fuel, receipt');
touchstone(0, 'run', 'examples/call', '--input', `@${CASE}`, ...admission, '--receipts', RECEIPTS);

step('Effects: what a directive asks for is performed where it is granted');
const memory = ['examples/memory', '--input', `@${MEMORY_CASE}`, '--trust', TRUST];
const kept = ['--certificate', MEMORY_CERTIFICATE, '--receipts', RECEIPTS];
touchstone(0, 'certify', 'examples/memory', '--key', KEY, '--out', MEMORY_CERTIFICATE);
touchstone(0, 'run', ...memory, ...kept, '--grant', `memory=${WORK}/memory.sqlite`);

step('The chains of receipts, and what an auditor reads in them');
touchstone(0, 'receipts', 'verify', RECEIPTS);
touchstone(0, 'keys', 'trust', ENVIRONMENT, '--as', 'environment', '--trust', TRUST);
touchstone(0, 'audit', WORK, '--trust', TRUST);

step('One flipped byte is caught: in the module, and in a receipt');
flipByte('examples/call/build/call.wasm', `${WORK}/flipped.wasm`);
touchstone(1, 'verify', `${WORK}/flipped.wasm`, ...admission);
flipByte(`${RECEIPTS}/call.jsonl`, `${WORK}/flipped.jsonl`);
touchstone(1, 'receipts', 'verify', `${WORK}/flipped.jsonl`);

console.log(`
${bold('That was the main job.')} What was written lies in ${WORK}.
Your turn: node dist/cli.js --help
`);

/** @param {string} title */
function step(title) {
  step.number = (step.number ?? 0) + 1;
  console.log(`\n${bold(`${step.number}. ${title}`)}`);
}

/**
 * Runs one command with its output shown. Another exit code than the one that the story needs ends
 * it: a demonstration that only looks well would be worse than none.
 *
 * @param {number} expected exit code
 * @param {string[]} args
 */
function touchstone(expected, ...args) {
  console.log(dim(`$ touchstone ${args.join(' ')}`));
  const { status } = spawnSync(process.execPath, ['dist/cli.js', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status === expected) return;
  say(`touchstone ${args.join(' ')}: expected exit code ${expected}, got ${status}`);
  process.exit(1);
}

/**
 * Copies a file with one bit of its middle byte flipped.
 *
 * @param {string} from
 * @param {string} to
 */
function flipByte(from, to) {
  const bytes = readFileSync(join(ROOT, from));
  const at = bytes.length >> 1;
  bytes[at] ^= 1;
  writeFileSync(join(ROOT, to), bytes);
  console.log(dim(`(byte ${at} of ${from} flipped, in a copy)`));
}

/** @param {string} text */
function bold(text) {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}

/** @param {string} text */
function dim(text) {
  return process.stdout.isTTY ? styleText('dim', text) : text;
}
