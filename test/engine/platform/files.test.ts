import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError, type InputErrorCode } from '../../../engine/encoding/input-error.ts';
import {
  createFile,
  isMissingFile,
  readFileBounded,
  readModule,
  readTextFileIfPresent,
  resolveInProject,
  writeFileAtomic,
} from '../../../engine/platform/node/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'touchstone-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const isRoot = process.getuid?.() === 0;
const onPosix = { skip: process.platform === 'win32' };

async function refusal(work: Promise<unknown>, code: InputErrorCode): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof InputError, String(error));
  assert.equal(error.code, code, error.message);
  assert.ok(!error.message.includes('\n'));
  return error.message;
}

test('a file is read whole, up to exactly its limit', async () => {
  writeFileSync(at('ten'), '0123456789');
  assert.equal(
    new TextDecoder().decode(await readFileBounded(at('ten'), 10, 'a test')),
    '0123456789',
  );
  assert.equal((await readFileBounded(at('ten'), 10, 'a test')).length, 10);
  assert.equal(
    await refusal(readFileBounded(at('ten'), 9, 'a test'), 'too-large'),
    `${at('ten')}: too large for a test: 10 bytes; at most 9 bytes are read`,
  );
});

test('a file of a gigabyte is refused before it is read', onPosix, async () => {
  writeFileSync(at('sparse'), '');
  truncateSync(at('sparse'), 1_073_741_824);
  assert.match(
    await refusal(readModule(at('sparse')), 'too-large'),
    /too large for a module: 1,073,741,824 bytes; at most 268,435,456 bytes are read$/,
  );
});

test('a file that says it is empty is read to its end', {
  skip: process.platform !== 'linux',
}, async () => {
  assert.ok((await readFileBounded('/proc/self/status', 100_000, 'a test')).length > 0);
  await refusal(readFileBounded('/proc/self/status', 10, 'a test'), 'too-large');
});

test('pipes, devices and folders are refused without waiting', onPosix, async () => {
  execFileSync('mkfifo', [at('pipe')]);
  assert.match(await refusal(readModule(at('pipe')), 'unreadable'), /: it is not a regular file$/);
  assert.match(await refusal(readModule('/dev/zero'), 'unreadable'), /: it is not a regular file$/);
  assert.match(await refusal(readModule(folder), 'unreadable'), /: it is a folder, not a file$/);
});

test('what cannot be opened is told with the reason', onPosix, async () => {
  symlinkSync('loop-b', at('loop-a'));
  symlinkSync('loop-a', at('loop-b'));
  const cases: readonly (readonly [string, RegExp])[] = [
    [at('none'), /: no such file$/],
    [at('ten/below'), /: a part of the path is not a folder$/],
    [at('loop-a'), /: its symbolic links lead in a circle$/],
    [at('x'.repeat(300)), /: the name is too long$/],
    [at('a\0b'), /a\\u\{0\}b: a path cannot hold a NUL character$/],
  ];
  for (const [path, message] of cases) {
    assert.match(await refusal(readModule(path), 'unreadable'), message);
  }
});

test('a file without permission is told so', {
  skip: isRoot || process.platform === 'win32',
}, async () => {
  writeFileSync(at('secret'), '');
  chmodSync(at('secret'), 0);
  assert.match(await refusal(readModule(at('secret')), 'unreadable'), /: permission denied$/);
});

test('a missing file is told apart from one that cannot be read', async () => {
  assert.equal(await readTextFileIfPresent(at('none')), undefined);
  await refusal(readTextFileIfPresent(folder), 'unreadable');
  const missing: unknown = await readModule(at('none')).catch((error: unknown) => error);
  assert.equal(isMissingFile(missing), true);
});

test('a link that leads out of the project is refused', onPosix, async () => {
  mkdirSync(at('project/build'), { recursive: true });
  writeFileSync(at('project/build/a.wasm'), '');
  symlinkSync('a.wasm', at('project/build/b.wasm'));
  symlinkSync('../../ten', at('project/build/out.wasm'));
  symlinkSync('../..', at('project/build/up'));
  assert.match(await resolveInProject(at('project'), 'build/b.wasm'), /build[/]a\.wasm$/);
  for (const path of ['build/out.wasm', 'build/up/ten']) {
    assert.match(
      await refusal(resolveInProject(at('project'), path), 'unreadable'),
      /: a symbolic link leads out of the project, to .*ten; copy the file into the project$/,
    );
  }
  assert.match(
    await refusal(resolveInProject(at('project'), 'none'), 'unreadable'),
    /no such file$/,
  );
});

test('a file is replaced at once, with its permissions, and nothing is left beside it', async () => {
  const path = at('new-folder/doc.json');
  await writeFileAtomic(path, 'one');
  chmodSync(path, 0o640);
  await writeFileAtomic(path, new TextEncoder().encode('two'));
  assert.equal(readFileSync(path, 'utf8'), 'two');
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(at('new-folder')), ['doc.json']);
});

test('what cannot be written is told, and leaves nothing behind', onPosix, async () => {
  assert.match(
    await refusal(writeFileAtomic(at('no/such/folder'), ''), 'unwritable'),
    /: not written: no such folder$/,
  );
  mkdirSync(at('taken/full'), { recursive: true });
  await refusal(writeFileAtomic(at('taken'), ''), 'unwritable');
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.match(await refusal(writeFileAtomic('/dev/full/x', ''), 'unwritable'), /is not a folder$/);
});

test(
  'a new file has its permissions from the start and never replaces another',
  onPosix,
  async () => {
    await createFile(at('key.pem'), 'secret', 0o600);
    assert.equal(statSync(at('key.pem')).mode & 0o777, 0o600);
    assert.match(
      await refusal(createFile(at('key.pem'), 'other', 0o600), 'unwritable'),
      /: not written: it exists already$/,
    );
    assert.equal(readFileSync(at('key.pem'), 'utf8'), 'secret');
  },
);
