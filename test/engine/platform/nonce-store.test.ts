import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { nodeCrypto as crypto } from '../../../engine/platform/node/crypto.ts';
import { fileNonceStore } from '../../../engine/platform/node/nonce-store.ts';
import { collectOutput } from '../../support/child-output.ts';
import { temporaryFolder } from '../provenance/store-harness.ts';

const open = (folder: string) => fileNonceStore(crypto, folder, { pruneEverySeconds: 0 });
const nonce = (n: number | string) => ({ issuer: 'spender', nonce: `${n}` });
const entriesOf = (folder: string) =>
  readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));

let spender: string;
before(async () => {
  spender = join(temporaryFolder(), 'spender.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('nonce-spender.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    outfile: spender,
  });
});

interface Spender {
  /** Lines `nonce answer` so far, whole ones only. */
  readonly answers: () => string[];
  readonly ready: Promise<unknown>;
  /** Lets it begin; resolves with its first answer. */
  readonly go: () => Promise<unknown>;
  readonly ended: Promise<unknown>;
  readonly kill: () => void;
}

function start(folder: string, first: number, count = Number.POSITIVE_INFINITY): Spender {
  const args = [spender, folder, String(first), String(count), '100'];
  const child = spawn(process.execPath, args);
  const output = collectOutput(child);
  return {
    answers: () => output.stdout().split('\n').slice(1, -1),
    ready: Promise.race([once(child.stdout, 'data'), once(child, 'close')]),
    ended: once(child, 'close').then(() => assert.equal(output.stderr(), '')),
    go: () => {
      const answered = Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
      child.stdin.write('go\n');
      return answered;
    },
    kill: () => child.kill('SIGKILL'),
  };
}

test('what was spent stays so for a store that is opened later', async () => {
  const folder = join(temporaryFolder(), 'deep', 'nonces');
  assert.equal(await open(folder).isSpent(nonce(1), 100), false);
  assert.ok(!existsSync(folder), 'asking makes no folder');
  assert.equal(await open(folder).spend(nonce(1), 100), 'fresh');
  assert.equal(await open(folder).isSpent(nonce(1), 100), true);
  assert.equal(await open(folder).spend(nonce(1), 100), 'spent');
});

test('two processes that race over 300 nonces never both get one', async (t) => {
  const folder = temporaryFolder();
  const racers = [start(folder, 0, 300), start(folder, 0, 300)];
  await Promise.all(racers.map(({ ready }) => ready));
  for (const racer of racers) racer.go();
  await Promise.all(racers.map(({ ended }) => ended));
  const won = racers.map((racer) => racer.answers().filter((a) => a.endsWith(' fresh')).length);
  t.diagnostic(`${won.join(' and ')} of them`);
  const answers = racers.flatMap((racer) => racer.answers());
  assert.equal(answers.length, 600);
  const fresh = answers.filter((answer) => answer.endsWith(' fresh'));
  assert.equal(new Set(fresh).size, 300);
  assert.equal(fresh.length, 300);
});

test('30 kills at random times lose no nonce that was answered fresh', async () => {
  const folder = temporaryFolder();
  const fresh: string[] = [];
  for (let round = 0; round < 30; round++) {
    const doomed = start(folder, round * 10_000);
    await doomed.ready;
    await doomed.go();
    await sleep(Math.random() * 30);
    doomed.kill();
    await doomed.ended;
    fresh.push(...doomed.answers());
  }
  assert.ok(fresh.length >= 30, `${fresh.length} were spent`);
  const store = open(folder);
  for (const answer of fresh) {
    const [n = '', said] = answer.split(' ');
    assert.equal(said, 'fresh');
    assert.equal(await store.spend(nonce(n), 100), 'spent', n);
  }
  await store.prune(101);
  // What a kill left without its expiry, at most one entry a round, bars its nonce for good.
  assert.ok(entriesOf(folder).length <= 30);
});

test('an entry that a crash cut short at any byte bars its nonce, and is not forgotten early', async () => {
  const whole = '1234567890\n';
  for (let length = 0; length < whole.length; length++) {
    const folder = temporaryFolder();
    const store = open(folder);
    await store.spend(nonce(1), 1_234_567_890);
    const [entry = ''] = entriesOf(folder);
    assert.equal(readFileSync(join(folder, entry), 'utf8'), whole);
    writeFileSync(join(folder, entry), whole.slice(0, length));
    assert.equal(await store.spend(nonce(1), 1_234_567_890), 'spent');
    assert.equal(await store.prune(1_000_000_000), 0, `${length} bytes`);
    assert.equal(await store.spend(nonce(1), 1_234_567_890), 'spent');
  }
});

test('a crash while pruning leaves what it did not forget, and the next goes on', async () => {
  const folder = temporaryFolder();
  const store = open(folder);
  for (let n = 0; n < 5; n++) await store.spend(nonce(n), 100 + n);
  // As it is when the floor was written and nothing was removed yet.
  writeFileSync(join(folder, 'floor'), '103\n');
  for (let n = 0; n < 5; n++) assert.equal(await store.spend(nonce(n), 100 + n), 'spent');
  assert.equal(await store.prune(103), 3);
  assert.equal(entriesOf(folder).length, 2);
});

test('a nonce that is forgotten while it is spent again stays spent', async () => {
  const folder = temporaryFolder();
  await open(folder).spend(nonce(1), 100);
  await open(folder).prune(200);
  assert.deepEqual(entriesOf(folder), []);
  // The slower of two had found the voucher good before the faster one's was forgotten.
  assert.equal(await open(folder).spend(nonce(1), 100), 'spent');
});

test('prunes at once, in several processes, keep the latest moment', async () => {
  const folder = temporaryFolder();
  for (let n = 0; n < 20; n++) await open(folder).spend(nonce(n), n);
  await Promise.all([5, 15, 10].map((before) => open(folder).prune(before)));
  assert.equal(readFileSync(join(folder, 'floor'), 'utf8'), '15\n');
  assert.equal(entriesOf(folder).length, 5);
});

test('pruning is done once an hour, unless it is asked for more often', async () => {
  const folder = temporaryFolder();
  const hourly = fileNonceStore(crypto, folder);
  await hourly.spend(nonce(1), 10_000);
  await hourly.spend(nonce(2), 10_500);
  assert.equal(await hourly.prune(10_001), 1);
  assert.equal(await hourly.prune(13_600), 0);
  assert.equal(await hourly.prune(13_601), 1);
});

test('a floor that cannot be read lets nothing be spent', async () => {
  const folder = temporaryFolder();
  for (const text of ['', '12', 'soon\n', '-1\n', '1e3\n', '1'.repeat(40)]) {
    writeFileSync(join(folder, 'floor'), text);
    const refused = { code: /^(unreadable|too-large)$/, message: /floor/ };
    await assert.rejects(open(folder).spend(nonce(text), 100), refused);
    await assert.rejects(open(folder).isSpent(nonce('other'), 100), refused);
    await assert.rejects(open(folder).prune(100), refused);
  }
  // The voucher of a refused spending was asked for, and who knows how far it came.
  rmSync(join(folder, 'floor'));
  assert.equal(await open(folder).spend(nonce(''), 100), 'spent');
});

test('whatever stands in the place of an entry or of the folder lets nothing be spent', async () => {
  const folder = temporaryFolder();
  const name = crypto.sha256(new TextEncoder().encode('["spender","1"]'));
  for (const place of [
    (path: string) => mkdirSync(path),
    (path: string) => symlinkSync('/nowhere', path),
    (path: string) => symlinkSync(folder, path),
  ]) {
    const path = join(folder, name);
    place(path);
    assert.equal(await open(folder).spend(nonce(1), 100), 'spent');
    rmSync(path, { recursive: true });
  }
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(open(join(folder, 'file')).spend(nonce(1), 100), {
    message: /file.*not a folder|in its place/,
  });
  await assert.rejects(open(join(folder, 'file', 'deep')).spend(nonce(1), 100), {
    code: /^un(readable|writable)$/,
  });
});

test('a folder that cannot be written lets nothing be spent', {
  skip: process.platform === 'win32' || process.getuid?.() === 0,
}, async () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o500);
  await assert.rejects(open(folder).spend(nonce(1), 100), { code: 'unwritable' });
});

test('no issuer chooses a path', async () => {
  const folder = temporaryFolder();
  await open(folder).spend({ issuer: '../../..', nonce: '/etc/passwd\u0000' }, 100);
  assert.deepEqual(readdirSync(folder), entriesOf(folder));
  assert.equal(entriesOf(folder).length, 1);
});
