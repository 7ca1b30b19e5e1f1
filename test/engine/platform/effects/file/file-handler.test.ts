import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../../../engine/encoding/json.ts';
import { fsGrant } from '../../../../../engine/governance/grants/fs.ts';
import { createFileHandler } from '../../../../../engine/platform/node/effects/file/file-handler.ts';
import {
  holdRoot,
  nameRoot,
  type OpenRoot,
} from '../../../../../engine/platform/node/effects/file/folder.ts';
import { type AskOptions, ask, codeOf } from './ask.ts';

const base = mkdtempSync(join(tmpdir(), 'touchstone-file-op-'));
after(() => rmSync(base, { recursive: true, force: true }));
const root = join(base, 'root');
const outside = join(base, 'outside');
const CANARY = 'canary: nobody reads this';

beforeEach(() => {
  for (const folder of [root, outside]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  writeFileSync(join(root, 'a', 'f'), 'inside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'f'), CANARY);
});

const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const onPosix = { skip: process.platform === 'win32' };

/** Both ways to open a root are held to the same answers. */
const WAYS: readonly (readonly [string, OpenRoot])[] = [
  ...(isLinux ? ([['held', holdRoot]] as const) : []),
  ['named', nameRoot],
];

function handlerOf(grant: JsonObject = {}, openRoot?: OpenRoot) {
  return createFileHandler(
    fsGrant.parse({ roots: [{ path: 'root', access: 'write' }], ...grant }),
    { base, ...(openRoot && { openRoot }) },
  );
}

type Handler = ReturnType<typeof handlerOf>;

const read = (handler: Handler, path: string, options?: AskOptions) =>
  ask(handler, { type: 'file_op', operation: 'FileRead', path }, options);
const write = (handler: Handler, path: string, content: string, options?: AskOptions) =>
  ask(handler, { type: 'file_op', operation: 'FileWrite', path, content }, options);
const remove = (handler: Handler, path: string, options?: AskOptions) =>
  ask(handler, { type: 'file_op', operation: 'FileDelete', path }, options);

/** Everything in a folder: paths with contents, links with nothing. */
function listing(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path}: ${readFileSync(path, 'utf8')}` : path;
    })
    .sort();
}

function assertOutsideUntouched(): void {
  assert.deepEqual(listing(outside), [`${join(outside, 'f')}: ${CANARY}`]);
  assert.deepEqual(readdirSync(base).sort(), ['outside', 'root']);
}

for (const [way, openRoot] of WAYS) {
  const handler = handlerOf({}, openRoot);

  test(`${way}: a file is written, read and deleted`, async () => {
    assert.deepEqual(await write(handler, 'new/folder/näme', 'tëxt'), {
      kind: 'performed',
      result: { bytes: 5 },
      cost: { bytes: 5 },
    });
    assert.deepEqual(await read(handler, 'new/folder/näme'), {
      kind: 'performed',
      result: { content: 'tëxt' },
      cost: { bytes: 5 },
    });
    const deleted = await remove(handler, 'new/folder/näme');
    assert.deepEqual(deleted, { kind: 'performed', result: { deleted: true } });
    for (const path of ['new/folder/näme', 'nowhere/at/all']) {
      const again = await remove(handler, path);
      assert.deepEqual(again, { kind: 'performed', result: { deleted: false } });
    }
    assert.equal(codeOf(await read(handler, 'new/folder/näme')), 'failed not-found');
    assert.equal(codeOf(await read(handler, 'nowhere/at/all')), 'failed not-found');
  });

  test(`${way}: bytes that are no text are answered as base64`, async () => {
    writeFileSync(join(root, 'binary'), Uint8Array.of(0xff, 0x00, 0x80));
    const outcome = await read(handler, 'binary');
    assert.deepEqual(outcome, {
      kind: 'performed',
      result: { base64: '/wCA' },
      cost: { bytes: 3 },
    });
    writeFileSync(join(root, 'marked'), '\u{feff}text');
    const marked = await read(handler, 'marked');
    assert.deepEqual(marked.kind === 'performed' && marked.result, { content: '\u{feff}text' });
  });

  test(`${way}: no symbolic link is followed, and none deleted`, onPosix, async () => {
    symlinkSync(join(outside, 'f'), join(root, 'link'));
    symlinkSync('a/f', join(root, 'inner-link'));
    symlinkSync(join(outside, 'not-there'), join(root, 'dangling'));
    symlinkSync(outside, join(root, 'out'));
    symlinkSync('..', join(root, 'a', 'up'));
    symlinkSync('loop', join(root, 'loop'));
    for (const path of ['link', 'inner-link', 'dangling', 'loop', 'out', 'a/up/a/f', 'out/f']) {
      for (const act of [read, remove, (h: Handler, p: string) => write(h, p, 'gone')]) {
        assert.match(
          codeOf(await act(handler, path)),
          /^failed (link-refused|not-a-folder)$/,
          path,
        );
      }
    }
    assert.equal(codeOf(await write(handler, 'out/new/f', 'gone')), 'failed not-a-folder');
    assert.equal(readFileSync(join(root, 'link'), 'utf8'), CANARY);
    assertOutsideUntouched();
  });

  test(`${way}: what is no regular file is not touched, nor waited for`, onPosix, async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    for (const path of ['pipe', 'a', 'a/b']) {
      for (const act of [read, remove, (h: Handler, p: string) => write(h, p, 'gone')]) {
        assert.equal(codeOf(await act(handler, path)), 'failed not-a-file', path);
      }
    }
    assert.equal(codeOf(await read(handler, 'a/f/below')), 'failed not-a-folder');
    assert.deepEqual(readdirSync(root).sort(), ['a', 'pipe']);
  });

  test(`${way}: a file with a name elsewhere is not read, and writing it leaves that name alone`, async () => {
    linkSync(join(outside, 'f'), join(root, 'hard'));
    assert.equal(codeOf(await read(handler, 'hard')), 'failed hard-link');
    assert.equal(codeOf(await write(handler, 'hard', 'mine')), 'performed');
    assertOutsideUntouched();
    linkSync(join(outside, 'f'), join(root, 'hard-too'));
    assert.equal(codeOf(await remove(handler, 'hard-too')), 'performed');
    assertOutsideUntouched();
  });

  test(`${way}: sizes are bounded before a file is read`, async () => {
    const small = handlerOf({ fileBytes: 10 }, openRoot);
    writeFileSync(join(root, 'ten'), '0123456789');
    writeFileSync(join(root, 'eleven'), '0123456789!');
    writeFileSync(join(root, 'empty'), '');
    assert.equal(codeOf(await read(small, 'ten')), 'performed');
    assert.equal(codeOf(await read(small, 'empty')), 'performed');
    assert.equal(codeOf(await read(small, 'eleven')), 'failed too-large');
    assert.equal(codeOf(await write(small, 'x', '0123456789')), 'performed');
    assert.equal(codeOf(await write(small, 'x', '012345678é')), 'refused too-large');
    writeFileSync(join(root, 'sparse'), '');
    truncateSync(join(root, 'sparse'), 1_099_511_627_776);
    assert.equal(codeOf(await read(handler, 'sparse')), 'failed too-large');
    const allowance = { bytes: 5 };
    assert.equal(codeOf(await read(small, 'ten', { allowance })), 'failed bytes-exhausted');
    assert.equal(
      codeOf(await write(small, 'x', '123456', { allowance })),
      'failed bytes-exhausted',
    );
    assert.equal(codeOf(await write(small, 'y', '12345', { allowance })), 'performed');
    assert.equal(codeOf(await read(small, 'y', { allowance })), 'performed');
  });

  test(`${way}: a root is opened anew each time, and one that is gone is a failure`, async () => {
    renameSync(root, join(base, 'away'));
    for (const act of [read, remove, (h: Handler, p: string) => write(h, p, 'gone')]) {
      assert.equal(codeOf(await act(handler, 'a/f')), 'failed root-missing');
    }
    writeFileSync(root, 'a file');
    assert.match(codeOf(await read(handler, 'a/f')), /^failed (root-missing|not-a-folder)$/);
    rmSync(root);
    renameSync(join(base, 'away'), root);
    assert.equal(codeOf(await read(handler, 'a/f')), 'performed');
  });

  test(`${way}: permissions stay, and nothing unfinished is left`, onPosix, async () => {
    chmodSync(join(root, 'a', 'f'), 0o640);
    assert.equal(codeOf(await write(handler, 'a/f', 'new')), 'performed');
    assert.equal(statSync(join(root, 'a', 'f')).mode & 0o7777, 0o640);
    assert.equal(codeOf(await write(handler, 'a/b', 'new')), 'failed not-a-file');
    assert.deepEqual(readdirSync(join(root, 'a')).sort(), ['b', 'f']);
  });

  test(`${way}: a write that is cancelled or late does nothing`, async () => {
    const signal = AbortSignal.abort();
    for (const act of [read, remove]) {
      assert.equal(codeOf(await act(handler, 'a/f', { signal })), 'failed cancelled');
    }
    assert.equal(codeOf(await write(handler, 'a/f', 'new', { signal })), 'failed cancelled');
    const hasty = handlerOf({ timeoutMs: 1 }, async (path) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return openRoot(path);
    });
    assert.equal(codeOf(await write(hasty, 'a/f', 'new')), 'failed timeout');
    assert.equal(readFileSync(join(root, 'a', 'f'), 'utf8'), 'inside');
  });

  test(`${way}: a write that is cancelled at any step leaves the old file or the new`, async () => {
    const content = 'x'.repeat(3_000_000);
    let performedOnce = false;
    // Every look of the operation at its signal is a step: each of them is the last one once.
    for (let steps = 0; !performedOnce; steps++) {
      writeFileSync(join(root, 'a', 'f'), 'inside');
      let looks = 0;
      const signal = new Proxy(new AbortController().signal, {
        get: (target, key) => (key === 'aborted' ? looks++ >= steps : Reflect.get(target, key)),
      });
      performedOnce = codeOf(await write(handler, 'a/f', content, { signal })) === 'performed';
      const found = readFileSync(join(root, 'a', 'f'), 'utf8');
      assert.equal(found === content, performedOnce);
      assert.ok(performedOnce || found === 'inside');
      assert.deepEqual(readdirSync(join(root, 'a')).sort(), ['b', 'f']);
      assert.ok(steps < 30);
    }
  });

  test(`${way}: no descriptor stays open`, { skip: !isLinux }, async () => {
    const before = readdirSync('/proc/self/fd').length;
    symlinkSync(outside, join(root, 'out'));
    for (const path of ['a/f', 'a/b/c/d', 'out/f', 'a/f/x', 'a/b']) {
      await read(handler, path);
      await write(handler, path, 'x');
      await remove(handler, path);
    }
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
}

const REFUSED_PATHS = [
  '',
  '.',
  '..',
  './a/f',
  'a/./f',
  '../outside/f',
  'a/../../outside/f',
  'a/..',
  'a/../f',
  '/etc/passwd',
  '//server/share/f',
  '/',
  'a//f',
  'a/',
  'a/f\0',
  'a/f\0.txt',
  'a\\f',
  '..\\outside\\f',
  '\\\\server\\share\\f',
  '\\\\?\\C:\\f',
  'C:',
  'C:f',
  'C:/f',
  'c:\\f',
  'file:///etc/passwd',
  'a/f:stream',
  'a/f::$DATA',
  'a/f.',
  'a/f ',
  'a./f',
  'a /f',
  '.. /outside/f',
  '.../f',
  'NUL',
  'a/nul.txt',
  'COM1',
  'com¹.log',
  'CONIN$',
  'aux .c',
  'a/\nf',
  'a/\u0085f',
  '\ud800',
  'a/\udfff/f',
  `a/${'x'.repeat(4_096)}`,
  'a/'.repeat(10_000).slice(0, -1),
  Array.from({ length: 101 }, () => 'd').join('/'),
];

/** Texts that look like a way out and are names like any other. */
const LITERAL_PATHS = [
  '%2e%2e/outside/f',
  '%2e%2e%2foutside%2ff',
  '..%2foutside%2ff',
  '..%c0%af',
  '..%252f',
  '．．/f',
  '‥/f',
  '․․/f',
  '..∕outside∕f',
  '..⁄outside⁄f',
  '..／outside／f',
  '..＼outside＼f',
  'a\u200b/f',
  '~/f',
  '~root/f',
  '$HOME/f',
  '%USERPROFILE%/f',
  '-rf',
  '*',
  '..a/f',
  'proc/self/root/etc/passwd',
  'a/\u202etxt.f',
];

test('a path that is not plainly relative is refused before anything is opened', async () => {
  const handler = handlerOf({}, async () => assert.fail('a root was opened'));
  for (const path of REFUSED_PATHS) {
    for (const act of [read, remove, (h: Handler, p: string) => write(h, p, 'gone')]) {
      const outcome = await act(handler, path);
      assert.equal(codeOf(outcome), 'refused path-refused', JSON.stringify(path));
      assert.ok(outcome.kind === 'refused' && outcome.message.length < 400);
      assert.match(outcome.message, /^the path "[^\p{C}]*" [ -~]+$/u);
    }
  }
});

test('nothing in a path is decoded: what looks like a way out is a name', async () => {
  const handler = handlerOf();
  for (const path of LITERAL_PATHS) {
    assert.equal(codeOf(await read(handler, path)), 'failed not-found', path);
    assert.equal(codeOf(await write(handler, path, path)), 'performed', path);
    assert.equal(readFileSync(join(root, ...path.split('/')), 'utf8'), path);
    const again = await read(handler, path);
    assert.deepEqual(again.kind === 'performed' && again.result, { content: path });
    rmSync(root, { recursive: true });
    mkdirSync(root);
  }
  assertOutsideUntouched();
});

test('a directive of another shape is refused', async () => {
  const handler = handlerOf();
  const of = async (parameters: JsonObject) =>
    codeOf(await ask(handler, { type: 'file_op', ...parameters }));
  assert.equal(await of({ operation: 'FileRead', path: 1 }), 'refused path-refused');
  assert.equal(await of({ operation: 'FileRead' }), 'refused path-refused');
  assert.equal(await of({ operation: 'FileMove', path: 'a/f' }), 'refused operation-refused');
  assert.equal(await of({ operation: 'FileWrite', path: 'a/f' }), 'refused content-refused');
  assert.equal(
    await of({ operation: 'FileWrite', path: 'a/f', content: '\ud800' }),
    'refused content-refused',
  );
  assert.equal(
    await of({ operation: 'FileWrite', path: 'a/f', content: {} }),
    'refused content-refused',
  );
});

test('a root that is granted for reading is not written to', async () => {
  const handler = handlerOf({ roots: [{ path: 'root' }] });
  assert.equal(codeOf(await read(handler, 'a/f')), 'performed');
  assert.equal(codeOf(await write(handler, 'a/f', 'new')), 'refused read-only');
  assert.equal(codeOf(await remove(handler, 'a/f')), 'refused read-only');
  assert.equal(readFileSync(join(root, 'a', 'f'), 'utf8'), 'inside');
});

test('a path begins with the name of its root, where that has one', async () => {
  const handler = handlerOf({
    roots: [
      { name: 'src', path: 'root/a' },
      { name: 'out', path: 'root/a/b', access: 'write' },
    ],
  });
  assert.equal(codeOf(await read(handler, 'src/f')), 'performed');
  assert.equal(codeOf(await write(handler, 'out/f', 'new')), 'performed');
  assert.equal(codeOf(await write(handler, 'src/f', 'new')), 'refused read-only');
  assert.equal(readFileSync(join(root, 'a', 'b', 'f'), 'utf8'), 'new');
  assert.equal(codeOf(await read(handler, 'src')), 'refused path-refused');
  for (const path of ['f', 'srcf', 'SRC/f', 'root/a/f', 'constructor/f', '__proto__']) {
    const outcome = await read(handler, path);
    assert.equal(codeOf(outcome), 'refused root-not-granted');
    assert.ok(outcome.kind === 'refused' && outcome.message.endsWith('granted roots: src/, out/'));
  }
  const single = handlerOf({ roots: [{ name: 'src', path: 'root/a' }] });
  assert.equal(codeOf(await read(single, 'src/f')), 'performed');
  assert.equal(codeOf(await read(single, 'f')), 'refused root-not-granted');
});

test('a grant needs a name for each of several roots', () => {
  const isGrant = (...roots: JsonObject[]) => fsGrant.safeParse({ roots }).success;
  assert.ok(isGrant({ path: '.' }));
  assert.ok(isGrant({ name: 'a', path: '.' }, { name: 'b', path: '.' }));
  assert.ok(!isGrant({ path: '.' }, { name: 'b', path: '.' }));
  assert.ok(!isGrant({ path: '.' }, { path: 'x' }));
  assert.ok(!isGrant({ name: 'a', path: '.' }, { name: 'a', path: 'x' }));
  for (const name of ['', '..', 'a/b', '.a', 'a.', 'A', 'a b']) {
    assert.ok(!isGrant({ name, path: '.' }), name);
  }
});

test('a root may be reached through links of the operator', onPosix, async () => {
  symlinkSync('a', join(root, 'link'));
  const handler = handlerOf({ roots: [{ path: 'root/link' }] });
  assert.equal(codeOf(await read(handler, 'f')), 'performed');
});

test('what the system does not let through is told without naming a place', onPosix, async () => {
  const handler = handlerOf();
  const long = await write(handler, `a/${'x'.repeat(300)}`, 'new');
  assert.equal(codeOf(long), 'failed path-refused');
  if (isRoot) return;
  chmodSync(join(root, 'a', 'f'), 0o200);
  assert.equal(codeOf(await read(handler, 'a/f')), 'failed permission-denied');
  chmodSync(join(root, 'a', 'f'), 0o400);
  const outcome = await write(handler, 'a/f', 'new');
  assert.deepEqual(outcome, {
    kind: 'failed',
    code: 'permission-denied',
    message: 'a/f: permission denied',
  });
});

test(
  'a folder that is swapped for a link after it was entered leads nowhere',
  onPosix,
  async () => {
    const swap = () => {
      renameSync(join(root, 'a'), join(root, 'swapped'));
      symlinkSync(outside, join(root, 'a'));
    };
    for (const [way, openRoot] of WAYS) {
      for (const act of [read, remove, (h: Handler, p: string) => write(h, p, 'gone')]) {
        rmSync(root, { recursive: true });
        mkdirSync(join(root, 'a'), { recursive: true });
        writeFileSync(join(root, 'a', 'f'), 'inside');
        const handler = handlerOf({}, async (path) => {
          const folder = await openRoot(path);
          return {
            ...folder,
            enter: async (name) => {
              const entered = await folder.enter(name);
              swap();
              return entered;
            },
          };
        });
        const outcome = await act(handler, 'a/f');
        // Held, the folder is the one that was entered, wherever it lies now; named, that shows.
        assert.equal(codeOf(outcome), way === 'held' ? 'performed' : 'failed moved');
        if (way === 'held' && act === read) {
          assert.deepEqual(outcome.kind === 'performed' && outcome.result, { content: 'inside' });
        }
        assert.deepEqual(readdirSync(outside), ['f']);
        assertOutsideUntouched();
      }
    }
  },
);

test('a folder that is swapped for a link all the time is never left', {
  skip: !isLinux,
}, async (t) => {
  // Another process swaps as fast as it can; the loop goes on until both states were met often.
  const script = `
    const fs = require('node:fs');
    process.chdir(${JSON.stringify(root)});
    const attempt = (act) => { try { act(); } catch {} };
    for (let i = 0; ; i++) {
      attempt(() => fs.renameSync('a', 'old' + i));
      attempt(() => fs.symlinkSync('../outside', 'a'));
      attempt(() => fs.unlinkSync('a'));
      attempt(() => { fs.mkdirSync('a'); fs.writeFileSync('a/f', 'inside'); });
      attempt(() => fs.rmSync('old' + i, { recursive: true }));
    }`;
  const swapper = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  const handler = handlerOf();
  const codes = new Map<string, number>();
  let canariesSeen = 0;
  try {
    const often = 50;
    let rounds = 0;
    while (
      rounds++ < 500 ||
      canariesSeen < 20 ||
      (codes.get('performed') ?? 0) < often ||
      (codes.get('failed not-a-folder') ?? 0) < often
    ) {
      const outcomes = [
        await read(handler, 'a/f'),
        await write(handler, 'a/f', 'inside'),
        await write(handler, 'a/g', 'inside'),
        await remove(handler, 'a/g'),
      ];
      for (const outcome of outcomes) {
        codes.set(codeOf(outcome), (codes.get(codeOf(outcome)) ?? 0) + 1);
        if (outcome.kind !== 'performed') continue;
        assert.notDeepEqual(outcome.result, { content: CANARY });
      }
      // Whoever goes by the path does get out.
      try {
        if (readFileSync(join(root, 'a', 'f'), 'utf8') === CANARY) canariesSeen++;
      } catch {
        // it was swapped meanwhile
      }
    }
  } finally {
    const gone = new Promise((resolve) => swapper.once('exit', resolve));
    swapper.kill('SIGKILL');
    await gone;
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(codes)));
  for (const code of codes.keys()) {
    assert.match(code, /^(performed|failed (not-a-folder|not-found))$/);
  }
  assertOutsideUntouched();
});

test('a process that is killed while it writes leaves a whole file', onPosix, async () => {
  const module = (path: string) =>
    JSON.stringify(new URL(`../../../../../engine/${path}`, import.meta.url).href);
  const writer = join(base, 'writer.mts');
  writeFileSync(
    writer,
    `import { fsGrant } from ${module('governance/grants/fs.ts')};
    import { createFileHandler } from ${module('platform/node/effects/file/file-handler.ts')};
    import { perform } from ${JSON.stringify(new URL('ask.ts', import.meta.url).href)};
    const grant = fsGrant.parse({ roots: [{ path: 'root', access: 'write' }] });
    const handler = createFileHandler(grant, { base: ${JSON.stringify(base)} });
    for (let i = 0; ; i++) {
      const content = String(i % 10).repeat(500_000 + (i % 10));
      const outcome = await perform(
        handler, { type: 'file_op', operation: 'FileWrite', path: 'a/f', content });
      console.log(outcome.kind);
    }`,
  );
  try {
    for (const writes of [3, 8, 13]) {
      const child = spawn(process.execPath, ['--import', 'tsx', writer], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const gone = new Promise((resolve) => child.once('exit', resolve));
      let printed = '';
      for await (const piece of child.stdout) {
        printed += piece;
        if (printed.split('\n').length > writes) break;
      }
      child.kill('SIGKILL');
      await gone;
      assert.match(printed, /^(performed\n)+/);
      const found = readFileSync(join(root, 'a', 'f'), 'utf8');
      const digit = found[0] ?? '';
      assert.equal(found, digit.repeat(500_000 + Number(digit)));
    }
  } finally {
    rmSync(writer);
  }
});

test('whatever the path, what is read or written lies inside the root', async () => {
  const handler = handlerOf();
  symlinkSync(outside, join(root, 'out'));
  symlinkSync(join(outside, 'f'), join(root, 'a', 'link'));
  const part = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'f', 'out', 'link', 'outside', 'root') },
    { weight: 3, arbitrary: fc.constantFrom('..', '.', '', '...', '%2e%2e', 'C:', '~', '. .') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
  );
  const path = fc
    .tuple(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('/', '/', '/', '\\', '//'),
    )
    .map(([parts, separator]) => parts.join(separator));
  let performedCount = 0;
  await fc.assert(
    fc.asyncProperty(path, async (text) => {
      const written = await write(handler, text, 'written');
      const outcome = await read(handler, text);
      if (written.kind === 'performed') {
        performedCount++;
        assert.deepEqual(outcome.kind === 'performed' && outcome.result, { content: 'written' });
        assert.equal(readFileSync(join(root, text), 'utf8'), 'written');
      } else if (outcome.kind === 'performed') {
        assert.notDeepEqual(outcome.result, { content: CANARY });
      }
      await remove(handler, text);
      assertOutsideUntouched();
    }),
    { numRuns: 400 },
  );
  assert.ok(performedCount > 20, String(performedCount));
});
