import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { HostPool } from '../../../engine/platform/node/process-pool.ts';
import {
  answerOf,
  ask,
  echoHost,
  handWritten,
  isAlive,
  jobOf,
  type PoolOptions,
  poolOf,
  READY,
} from './process-support.ts';

async function withPool(
  use: (pool: HostPool<string>, pids: number[]) => Promise<void>,
  options: PoolOptions = {},
  script = echoHost,
) {
  const pids: number[] = [];
  const pool = await poolOf(script, { ...options, onStart: (pid) => pids.push(pid) });
  try {
    await use(pool, pids);
  } finally {
    await pool.close();
  }
}

for (const ahead of [0, 1, 3]) {
  test(`many jobs at once get their own answers, in the order in which they came; ${ahead} ahead`, async () => {
    await withPool(
      async (pool, pids) => {
        const order: number[] = [];
        const answers = await Promise.all(
          Array.from({ length: 200 }, async (_, i) => {
            const answer = answerOf(await ask(pool, `echo:${i}`));
            order.push(i);
            return answer;
          }),
        );
        assert.deepEqual(
          answers,
          answers.map((_, i) => String(i)),
        );
        assert.deepEqual(
          order,
          order.map((_, i) => i),
        );
        assert.equal(answerOf(await ask(pool, 'runs')), '201');
        assert.equal(pids.length, 1);
      },
      { ahead },
    );
  });
}

const AHEAD: PoolOptions = { ahead: 1 };

test('a job that was sent ahead has its own clock, from when its turn comes', async () => {
  await withPool(async (pool) => {
    assert.equal(answerOf(await ask(pool, 'echo:warm')), 'warm');
    const [slow, quick] = await Promise.all([
      ask(pool, 'busy:400'),
      pool.execute(jobOf('echo:behind'), { timeoutMs: 200 }),
    ]);
    assert.deepEqual([answerOf(slow), answerOf(quick)], ['400', 'behind']);
    const [, endless] = await Promise.all([
      ask(pool, 'busy:50'),
      pool.execute(jobOf('spin'), { timeoutMs: 100 }),
    ]);
    assert.deepEqual(endless, { kind: 'timeout', progress: 1 });
  }, AHEAD);
});

test('a job that was sent ahead to a host that is lost runs on the next, as often as it takes', async () => {
  await withPool(async (pool, pids) => {
    const endless = Array.from({ length: 6 }, () => pool.execute(jobOf('spin'), { timeoutMs: 60 }));
    const last = ask(pool, 'echo:last');
    for (const end of endless) assert.equal((await end).kind, 'timeout');
    assert.equal(answerOf(await last), 'last');
    assert.equal(pids.length, 7);
  }, AHEAD);
});

test('a signal ends a job that was sent ahead at once, and the one before it goes on', async () => {
  await withPool(async (pool, pids) => {
    assert.equal(answerOf(await ask(pool, 'echo:warm')), 'warm');
    const abort = new AbortController();
    const first = ask(pool, 'busy:300');
    const second = pool.execute(jobOf('spin'), { timeoutMs: 200, signal: abort.signal });
    const third = ask(pool, 'echo:third');
    await wait(20);
    abort.abort();
    assert.equal((await Promise.race([first, second])).kind, 'cancelled');
    assert.equal(answerOf(await first), '300');
    // It was with the host already, and is ended there by its clock.
    assert.equal(answerOf(await third), 'third');
    assert.equal(pids.length, 2);
  }, AHEAD);
});

test('a closed pool has ended what was sent ahead too', async () => {
  await withPool(async (pool) => {
    const ends = [ask(pool, 'spin'), ask(pool, 'spin'), ask(pool, 'spin')];
    await wait(100);
    await pool.close();
    for (const end of await Promise.all(ends)) assert.equal(end.kind, 'cancelled');
  }, AHEAD);
});

test('a pool of several hosts runs as many jobs at once', async () => {
  await withPool(
    async (pool, pids) => {
      const controller = new AbortController();
      const { signal } = controller;
      const spinning = [1, 2].map(() => pool.execute(jobOf('spin'), { timeoutMs: 60_000, signal }));
      assert.equal(answerOf(await ask(pool, 'echo:beside them')), 'beside them');
      controller.abort();
      for (const end of await Promise.all(spinning)) assert.equal(end.kind, 'cancelled');
      assert.equal(new Set(pids).size, pids.length);
    },
    { size: 3 },
  );
});

test('a program crosses once, and again when its host has forgotten it', async () => {
  await withPool(async (pool) => {
    let sent = 0;
    const named = (name: string) => ({
      ...jobOf('program', name),
      program: () => {
        sent++;
        return new TextEncoder().encode(name.repeat(100_000));
      },
      answerBytes: 1_000_000,
    });
    for (let round = 0; round < 2; round++) {
      for (let i = 10; i < 74; i++) {
        const end = await pool.execute(named(`${i}`), { timeoutMs: 60_000 });
        assert.equal(answerOf(end), `${i}`.repeat(100_000));
      }
    }
    assert.equal(sent, 64);
    assert.equal(
      answerOf(await pool.execute(named('99'), { timeoutMs: 60_000 })).slice(0, 2),
      '99',
    );
    assert.equal(
      answerOf(await pool.execute(named('10'), { timeoutMs: 60_000 })).slice(0, 2),
      '10',
    );
    assert.equal(sent, 66);
  });
});

test('a program that cannot be had is thrown to who asked, and the next job runs', async () => {
  await withPool(async (pool) => {
    const program = () => {
      throw new Error('no such program');
    };
    const job = { ...jobOf('echo', 'none'), program };
    await assert.rejects(pool.execute(job, { timeoutMs: 1_000 }), /no such program/);
    await assert.rejects(pool.execute(job, { timeoutMs: 1_000 }), /no such program/);
    assert.equal(answerOf(await ask(pool, 'echo:next')), 'next');
  });
});

test('jobs and answers of all sizes arrive whole', async () => {
  await withPool(async (pool) => {
    for (const size of [0, 1, 11, 12, 13, 65_535, 65_536, 262_131, 262_144, 300_000, 5_000_000]) {
      const text = 'é'.repeat(size);
      const job = { ...jobOf(`echo:${text}`), answerBytes: 2 * size };
      assert.equal(answerOf(await pool.execute(job, { timeoutMs: 60_000 })), text);
    }
  });
});

test('the wall clock ends a job in the middle, says how far it came, and the next one runs', async () => {
  await withPool(async (pool) => {
    assert.equal(answerOf(await ask(pool, 'echo:warm')), 'warm');
    const end = await pool.execute(jobOf('spin'), { timeoutMs: 100 });
    assert.deepEqual(end, { kind: 'timeout', progress: 1 });
    assert.equal(answerOf(await ask(pool, 'echo:next')), 'next');
  });
});

test('a signal ends a job in the middle, and one that waits at once', async () => {
  await withPool(async (pool) => {
    const running = new AbortController();
    const waiting = new AbortController();
    const first = pool.execute(jobOf('spin'), { timeoutMs: 60_000, signal: running.signal });
    const second = pool.execute(jobOf('echo'), { timeoutMs: 60_000, signal: waiting.signal });
    const third = ask(pool, 'echo:third');
    await wait(200);
    waiting.abort();
    assert.equal((await second).kind, 'cancelled');
    running.abort();
    assert.equal((await first).kind, 'cancelled');
    assert.equal(answerOf(await third), 'third');
    const late = await pool.execute(jobOf('echo'), { timeoutMs: 1, signal: running.signal });
    assert.equal(late.kind, 'cancelled');
  });
});

for (const ahead of [0, 1]) {
  test(`killed at any moment, a host costs the run that it had at most, which says so; ${ahead} ahead`, async (t) => {
    await withPool(
      async (pool, pids) => {
        let lost = 0;
        for (let i = 0; i < 100; i++) {
          const victim = pids.at(-1) ?? 0;
          const delay = Math.random() * 4;
          const kill = wait(delay).then(() => isAlive(victim) && process.kill(victim, 'SIGKILL'));
          const ends = await Promise.all([
            ask(pool, `echo:${i}`),
            pool.execute(jobOf(i % 2 ? 'spin' : 'repeat:9000'), { timeoutMs: 60 }),
            ask(pool, 'echo:after'),
          ]);
          await kill;
          const others = ends.filter(({ kind }) => kind !== 'lost' && kind !== 'timeout');
          for (const end of ends) if (end.kind === 'lost') assert.match(end.reason, /SIGKILL/);
          lost += ends.filter(({ kind }) => kind === 'lost').length;
          assert.ok(ends.filter(({ kind }) => kind === 'lost').length <= 1, JSON.stringify(ends));
          assert.ok(
            others.every(({ kind }) => kind === 'answer'),
            JSON.stringify(ends),
          );
          assert.equal(answerOf(await ask(pool, `echo:next ${i}`)), `next ${i}`);
        }
        t.diagnostic(`${lost} of 300 runs lost by 100 kills, ${pids.length} processes`);
        assert.ok(lost > 0);
      },
      { ahead },
    );
  });
}

test('a host that was killed while idle costs no run', async () => {
  await withPool(async (pool, pids) => {
    for (let i = 0; i < 10; i++) {
      assert.equal(answerOf(await ask(pool, 'echo:a')), 'a');
      const victim = pids.at(-1) ?? 0;
      process.kill(victim, 'SIGKILL');
      // Dead, but its end not yet told to this thread: nothing here returns to the event loop.
      const deadline = performance.now() + 5_000;
      const isRunning = () => !/^State:\s+Z/m.test(statusOf(victim)) && isAlive(victim);
      while (isRunning() && performance.now() < deadline);
      assert.equal(answerOf(await ask(pool, 'echo:b')), 'b');
    }
  });
});

test('what a job throws ends its host, with the words of the error as the reason', async () => {
  await withPool(async (pool) => {
    const end = await ask(pool, 'throw:broken in here');
    assert.ok(end.kind === 'lost');
    assert.match(end.reason, /exited with code 1: Error: broken in here/);
    assert.equal(answerOf(await ask(pool, 'runs')), '1');
  });
});

test('a job may be answered later, and no other is begun before', async () => {
  await withPool(
    async (pool) => {
      const jobs = ['later:a', 'echo:b', 'later:c', 'runs', 'later:d', 'runs'];
      const ends = await Promise.all(jobs.map((job) => ask(pool, job)));
      assert.deepEqual(ends.map(answerOf), ['a', 'b', 'c', '4', 'd', '6']);
    },
    { ahead: 5 },
  );
});

test('what a job is rejected with ends its host as well', async () => {
  await withPool(async (pool) => {
    const end = await ask(pool, 'reject:broken later');
    assert.ok(end.kind === 'lost');
    assert.match(end.reason, /exited with code 1: Error: broken later/);
    assert.equal(answerOf(await ask(pool, 'runs')), '1');
  });
});

test('a host that runs out of memory is lost and replaced', async () => {
  await withPool(async (pool) => {
    const end = await ask(pool, 'memory');
    assert.ok(end.kind === 'lost');
    assert.match(end.reason, /SIG(ABRT|TRAP|ILL).*heap/);
    assert.equal(answerOf(await ask(pool, 'echo:next')), 'next');
  });
});

test('a closed pool has ended what it had as cancelled, and its processes are gone', async () => {
  const pids: number[] = [];
  const pool = await poolOf(echoHost, { onStart: (pid) => pids.push(pid) });
  const running = ask(pool, 'spin');
  const waiting = ask(pool, 'echo');
  await wait(200);
  await pool.close();
  assert.equal((await running).kind, 'cancelled');
  assert.equal((await waiting).kind, 'cancelled');
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal((await ask(pool, 'echo')).kind, 'cancelled');
});

test('hosts that do not come up end jobs with the reason, and are not started in a loop', async () => {
  const script = handWritten('throw new TypeError("no start");');
  await withPool(
    async (pool, pids) => {
      const ends = await Promise.all(Array.from({ length: 50 }, () => ask(pool, 'echo')));
      for (const end of ends) {
        assert.ok(end.kind === 'lost');
        assert.match(end.reason, /TypeError: no start/);
      }
      await wait(300);
      assert.ok(pids.length <= 2, `${pids.length} starts`);
    },
    {},
    script,
  );
});

test('a Node that is not there is the reason', async () => {
  await withPool(
    async (pool) => {
      const end = await ask(pool, 'echo');
      assert.ok(end.kind === 'lost');
      assert.match(end.reason, /ENOENT/);
    },
    { node: '/nowhere/node' },
  );
});

test('a host that is ready and ends by itself is not started again until a job comes', async () => {
  await withPool(
    async (_, pids) => {
      await wait(1_000);
      assert.equal(pids.length, 1);
    },
    {},
    handWritten(`${READY} process.exit(0);`),
  );
});

/** Runs a program with a pool in a process of its own; `body` has `pool`, `ask` and `pids`. */
async function inParent(body: string) {
  const folder = await mkdtemp(join(tmpdir(), 'parent-'));
  const program = join(folder, 'parent.mts');
  const support = new URL('process-support.ts', import.meta.url).href;
  await writeFile(
    program,
    `import { ask, echoHost, poolOf } from ${JSON.stringify(support)};
     const pids = [];
     const pool = await poolOf(echoHost, { onStart: (pid) => pids.push(pid) });
     ${body}`,
  );
  const parent = spawn(process.execPath, ['--import', 'tsx', program], {
    cwd: new URL('../../../', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => parent.once('exit', resolve));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { parent, exited, remove };
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const chunk of stream) return String(chunk);
  return '';
}

for (const [what, job] of [
  ['waits', 'echo'],
  ['runs', 'spin'],
] as const) {
  test(`a host that ${what} ends when its parent dies`, async () => {
    const { parent, remove } = await inParent(`
      await ask(pool, 'echo');
      void ask(pool, '${job}');
      setTimeout(() => console.log(pids[0]), 200);
      setTimeout(() => {}, 60_000);`);
    const pid = Number(await firstLine(parent.stdout));
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    for (let i = 0; i < 100 && isAlive(pid); i++) await wait(50);
    assert.equal(isAlive(pid), false);
    await remove();
  });
}

test('an idle pool keeps no process alive', async () => {
  const { exited, remove } = await inParent(`await ask(pool, 'echo');`);
  assert.equal(await exited, 0);
  await remove();
});

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
