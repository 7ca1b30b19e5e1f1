import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  answerOf,
  assertBadInput,
  CLI,
  exampleModule,
  KEYS,
  type RunOptions,
  type Workspace,
  workspace,
} from './support.ts';

const skip = process.platform === 'win32' ? 'needs a POSIX file system' : false;

/** Paths that are no readable file: how each comes about, and what is said of it. */
const PATHS: readonly (readonly [string, string, (here: Workspace) => void, RegExp])[] = [
  ['a missing one', 'missing.wasm', () => {}, /missing\.wasm: no such file/],
  [
    'one below a file',
    'f/x.wasm',
    (here) => here.write('f', ''),
    /a part of the path is not a folder/,
  ],
  [
    'a symlink loop',
    'a.wasm',
    (here) => {
      symlinkSync('b.wasm', here.path('a.wasm'));
      symlinkSync('a.wasm', here.path('b.wasm'));
    },
    /a\.wasm: its symbolic links lead in a circle/,
  ],
  [
    'a link to nothing',
    'l.wasm',
    (here) => symlinkSync('gone', here.path('l.wasm')),
    /l\.wasm: no such file/,
  ],
  [
    'a pipe that nobody writes to',
    'p.wasm',
    (here) => assert.equal(spawnSync('mkfifo', [here.path('p.wasm')]).status, 0),
    /p\.wasm: it is not a regular file/,
  ],
  ['a device', '/dev/zero', () => {}, /\/dev\/zero: it is not a regular file/],
  ['a name too long', `${'n'.repeat(300)}.wasm`, () => {}, /the name is too long/],
];

/** Commands that read PATH, with what else they need. */
const READERS: Readonly<Record<string, (path: string) => readonly string[]>> = {
  check: (path) => ['check', path],
  certify: (path) => ['certify', path, '--key', 'key.pem'],
  verify: (path) => ['verify', path],
  run: (path) => ['run', path],
  'run --input': (path) => ['run', 'echo', '--input', `@${path}`],
  'verify --certificate': (path) => ['verify', 'echo', '--certificate', path],
  'certify --key': (path) => ['certify', 'echo', '--key', path],
};

/** One of each way to read: by a search, as a module, as a document, as a key. */
const SOME_READERS = ['check', 'certify', 'verify --certificate', 'certify --key'];

describe('a path that is no readable file', { skip, concurrency: 4 }, () => {
  for (const [what, path, make, problem] of PATHS) {
    test(`${what}: exit 2 and one line`, async (t) => {
      const here = workspace(t);
      await here.certified('echo');
      here.write('key.pem', KEYS.private);
      make(here);
      for (const name of what === 'a missing one' ? Object.keys(READERS) : SOME_READERS) {
        assertBadInput(await here.run(...(READERS[name]?.(path) ?? [])), problem);
      }
    });
  }

  test('a folder where a file is expected', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    mkdirSync(here.path('x.wasm'));
    assertBadInput(await here.run('check', 'x.wasm'), /x\.wasm: nothing to check/);
    for (const command of ['certify', 'verify', 'run']) {
      const more = command === 'certify' ? ['--key', 'key.pem'] : [];
      const result = await here.run(command, 'x.wasm', ...more);
      assertBadInput(result, /x\.wasm: it is a folder without executor\.json; name a project/);
    }
    for (const name of ['run --input', 'verify --certificate', 'certify --key']) {
      const result = await here.run(...(READERS[name]?.('x.wasm') ?? []));
      assertBadInput(result, /x\.wasm: it is a folder, not a file/);
    }
    const manifest = JSON.parse(here.read('echo/executor.json').toString());
    here.write('echo/executor.json', { ...manifest, artifact: 'build' });
    for (const args of [
      ['check', 'echo/executor.json'],
      ['verify', 'echo'],
      ['run', 'echo'],
    ]) {
      assertBadInput(await here.run(...args), /echo\/build: it is a folder, not a file/);
    }
  });

  test('a NUL in a path of a manifest', async (t) => {
    const here = workspace(t);
    here.write('p/executor.json', { name: 'p', version: '1.0.0', artifact: 'a\0b.wasm' });
    for (const command of ['check', 'verify', 'run']) {
      assertBadInput(
        await here.run(command, 'p'),
        /executor\.json:1:\d+: artifact: the path holds a control character/,
      );
    }
  });

  test('a name with controls in it is shown escaped', async (t) => {
    const result = await workspace(t).run('verify', 'a\u001b[2Jb\nc.wasm');
    assertBadInput(result, /touchstone: a\\u\{1b\}\[2Jb\\u\{a\}c\.wasm: no such file/);
  });
});

describe('an artifact that leaves its project', { skip, concurrency: 4 }, () => {
  const commands: readonly (readonly string[])[] = [
    ['check', 'p/executor.json'],
    ['certify', 'p', '--key', 'key.pem'],
    ['verify', 'p'],
    ['run', 'p'],
  ];
  test('by its name', async (t) => {
    const here = workspace(t);
    here.write('out.wasm', exampleModule('echo'));
    here.write('p/executor.json', { name: 'p', version: '1.0.0', artifact: '../out.wasm' });
    for (const args of commands) {
      assertBadInput(
        await here.run(...args),
        /p\/executor\.json:1:\d+: artifact: the path may not hold "\.\."/,
      );
    }
    for (const artifact of [
      'build/../../out.wasm',
      '/etc/passwd',
      '..\\out.wasm',
      'C:\\out.wasm',
    ]) {
      here.write('p/executor.json', { name: 'p', version: '1.0.0', artifact });
      assertBadInput(await here.run('verify', 'p'), /p\/executor\.json:1:\d+: artifact: the path /);
    }
  });

  test('by a symbolic link, of the file or of a folder', async (t) => {
    const here = workspace(t);
    here.write('out/out.wasm', exampleModule('echo'));
    here.write('p/executor.json', { name: 'p', version: '1.0.0', artifact: 'build/out.wasm' });
    symlinkSync('../out', here.path('p/build'));
    for (const args of commands) {
      assertBadInput(
        await here.run(...args),
        /p\/build\/out\.wasm: a symbolic link leads out of the project/,
      );
    }
    here.write('q/executor.json', { name: 'q', version: '1.0.0', artifact: 'out.wasm' });
    symlinkSync('../out/out.wasm', here.path('q/out.wasm'));
    assertBadInput(await here.run('verify', 'q'), /q\/out\.wasm: a symbolic link leads out/);
  });

  test('a link that stays inside is followed', async (t) => {
    const here = workspace(t);
    here.write('p/real.wasm', exampleModule('echo'));
    symlinkSync('real.wasm', here.path('p/link.wasm'));
    here.write('p/executor.json', { name: 'p', version: '1.0.0', artifact: 'link.wasm' });
    assert.match(answerOf(await here.run('check', 'p/executor.json')), /✔ link\.wasm: pure/);
  });
});

/** How to run as somebody whom permissions stop: as oneself, or as nobody where one is root. */
function unprivileged(): { readonly via: RunOptions['via'] } | { readonly reason: string } {
  if (process.platform === 'win32') return { reason: 'needs POSIX permissions' };
  if (process.getuid?.() !== 0) return { via: [] };
  const via = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  const [program = '', ...args] = [...via, process.execPath, CLI, '--version'];
  return spawnSync(program, args, { cwd: '/' }).status === 0
    ? { via }
    : { reason: 'runs as root, whom permissions do not stop, and cannot become anybody else' };
}

describe('a path that may not be read', () => {
  const who = unprivileged();
  const options = 'reason' in who ? { skip: who.reason } : {};
  test('a file and a folder: exit 2 and one line', options, async (t) => {
    const via = 'via' in who ? (who.via ?? []) : [];
    const here = workspace(t);
    await here.certified('echo');
    chmodSync(here.folder, 0o755);
    here.write('key.pem', KEYS.private);
    here.write('secret.wasm', exampleModule('echo'));
    chmodSync(here.path('secret.wasm'), 0o000);
    mkdirSync(here.path('closed'));
    chmodSync(here.path('closed'), 0o000);
    for (const args of Object.values(READERS)) {
      const result = await here.runWith({ via }, ...args('secret.wasm'));
      assertBadInput(result, /secret\.wasm: permission denied/);
    }
    for (const command of ['check', 'verify']) {
      const result = await here.runWith({ via }, command, 'closed');
      assertBadInput(result, /closed[^:]*: permission denied/);
    }
    const receipts = await here.runWith({ via }, 'receipts', 'verify', 'closed');
    assertBadInput(receipts, /closed: permission denied/);
    chmodSync(here.path('closed'), 0o755);
  });
});

test('a policy or trust store that is there and cannot be read is no default', {
  skip,
}, async (t) => {
  for (const [name, target] of [
    ['policy.json', 'gone.json'],
    ['trust.json', 'trust.json'],
  ] as const) {
    const here = workspace(t);
    await here.certified('echo');
    rmSync(here.path(`.touchstone/${name}`), { force: true });
    symlinkSync(target, here.path(`.touchstone/${name}`));
    for (const command of [
      ['verify', 'echo'],
      ['run', 'echo'],
    ]) {
      assertBadInput(await here.run(...command), new RegExp(`${name}: `));
    }
  }
});
