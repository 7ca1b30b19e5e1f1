import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { answerOf, ask, handWritten, jobOf, poolOf, READY } from './process-support.ts';

/** Runs one job on a host that does `body` with it, and then another. */
async function outcomesOf(body: string) {
  const pool = await poolOf(handWritten(`${READY} const job = takeJob(); ${body}`));
  try {
    return [await ask(pool, 'first'), await ask(pool, 'second')] as const;
  } finally {
    await pool.close();
  }
}

const STAY = 'for (;;) take();';

const HOSTILE: readonly (readonly [what: string, body: string, reason: RegExp])[] = [
  ['bytes that are no frame', `raw(Buffer.alloc(64, 0xff)); ${STAY}`, /no frame/],
  [
    'an endless frame',
    `raw(Buffer.from([255, 255, 255, 127, 4, 0, 0, 0])); raw(Buffer.alloc(4)); ${STAY}`,
    /more than it may/,
  ],
  [
    'one byte more than an answer may have',
    `send(4, 0, job.turn, Buffer.alloc(10001)); ${STAY}`,
    /more than it may/,
  ],
  ['an answer to another job', `send(4, 0, job.turn + 1, 'x'); ${STAY}`, /not due/],
  ['progress with a payload', `send(3, 1, job.turn, 'x'); ${STAY}`, /more than it may/],
  ['progress that goes back', `send(3, 2, job.turn); send(3, 1, job.turn); ${STAY}`, /not due/],
  ['that it is ready again', `send(1, 1, 0); ${STAY}`, /not due/],
  ['a program that nobody sent', `send(2, 9, job.turn); ${STAY}`, /not due/],
  ['a frame of an unknown kind', `send(77, 0, job.turn); ${STAY}`, /not due/],
  ['nothing, and exits', 'process.exit(3);', /exited with code 3/],
  [
    'nothing, and closes its channel',
    "(await import('node:fs')).closeSync(3); setInterval(() => {}, 1e6);",
    /closed its channel/,
  ],
  [
    'half an answer, and exits',
    'raw(frame(4, 0, job.turn, "xyz").subarray(0, 13)); process.exit(0);',
    /exited with code 0/,
  ],
];

for (const [what, body, reason] of HOSTILE) {
  test(`a host that answers ${what} loses that run, is ended and replaced`, async () => {
    for (const end of await outcomesOf(body)) {
      assert.ok(end.kind === 'lost', JSON.stringify(end));
      assert.match(end.reason, reason);
    }
  });
}

test('a host that answers twice is not used again', async () => {
  const pids: number[] = [];
  const script = handWritten(
    `${READY} for (;;) { const job = takeJob(); raw(Buffer.concat([frame(4, 0, job.turn, 'a'), frame(4, 0, job.turn, 'b')])); }`,
  );
  const pool = await poolOf(script, { onStart: (pid) => pids.push(pid) });
  for (let i = 0; i < 3; i++) assert.equal(answerOf(await ask(pool, 'x')), 'a');
  assert.equal(pids.length, 3);
  await pool.close();
});

test('an answer that makes no sense to its reader is the end of its host', async () => {
  const pids: number[] = [];
  const script = handWritten(
    `${READY} for (;;) { const job = takeJob(); send(4, 0, job.turn, 'a'); }`,
  );
  const pool = await poolOf(script, { onStart: (pid) => pids.push(pid) });
  const end = await pool.execute({ ...jobOf('x'), read: () => undefined }, { timeoutMs: 60_000 });
  assert.ok(end.kind === 'lost');
  assert.match(end.reason, /no sense/);
  assert.equal(answerOf(await ask(pool, 'x')), 'a');
  assert.equal(pids.length, 2);
  await pool.close();
});

test('a host that answers nothing is ended by the clock', async () => {
  const pool = await poolOf(handWritten(`${READY} takeJob(); ${STAY}`));
  const end = await pool.execute(jobOf('x'), { timeoutMs: 50 });
  assert.equal(end.kind, 'timeout');
  await pool.close();
});

test('a host that says that it is not held by the permission model gets no job', async () => {
  const pool = await poolOf(handWritten(`send(1, 0, 0); ${STAY}`));
  const end = await ask(pool, 'x');
  assert.ok(end.kind === 'lost');
  assert.match(end.reason, /without the permission model/);
  await pool.close();
});

test('what a host prints reaches nobody and blocks nothing', async () => {
  const script = handWritten(`${READY} const job = takeJob();
    for (let i = 0; i < 1000; i++) { console.log('x'.repeat(1000)); console.error('y'.repeat(1000)); }
    send(4, 0, job.turn, 'done'); ${STAY}`);
  const pool = await poolOf(script);
  assert.equal(answerOf(await ask(pool, 'x')), 'done');
  await wait(10);
  await pool.close();
});

test('a host sees no environment and no arguments', async () => {
  const script = handWritten(`${READY} const job = takeJob();
    send(4, 0, job.turn, JSON.stringify([process.env, process.argv.slice(2), process.cwd()])); ${STAY}`);
  const pool = await poolOf(script);
  assert.deepEqual(JSON.parse(answerOf(await ask(pool, 'x'))), [{ UV_USE_IO_URING: '0' }, [], '/']);
  await pool.close();
});
