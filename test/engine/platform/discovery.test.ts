import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, test } from 'node:test';
import { type DiscoveryOptions, discover } from '../../../engine/platform/node/discovery.ts';
import { projectFiles } from '../../../engine/platform/node/project-files.ts';

const base = mkdtempSync(join(tmpdir(), 'touchstone-discovery-'));
after(() => rmSync(base, { recursive: true, force: true }));
const onPosix = { skip: process.platform === 'win32' };
let trees = 0;

/** Makes files with these contents and answers their folder. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = join(base, `tree-${trees++}`);
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const manifest = (artifact: string, more = '') =>
  `{ "name": "a", "version": "1.0.0", "artifact": "${artifact}"${more} }`;

async function found(root: string, paths: readonly string[] = ['.'], options?: DiscoveryOptions) {
  const all: string[] = [];
  for await (const item of discover(
    paths.map((path) => join(root, path)),
    options,
  )) {
    const path = relative(root, item.path).replaceAll('\\', '/');
    all.push(`${item.kind} ${path}${item.kind === 'problem' ? ` ${item.error.code}` : ''}`);
  }
  return all;
}

test('executors and stray modules are found in order, each once', async () => {
  const root = tree({
    'z.wasm': '',
    'b/executor.json': manifest('build/b.wasm', ', "source": ["src"]'),
    'b/build/b.wasm': '',
    'b/build/other.wasm': '',
    'b/src/b.wat': '',
    'a/x.wat': '',
    'a/readme.md': '',
    'node_modules/p/p.wasm': '',
    '.git/y.wasm': '',
  });
  const all = [
    'module z.wasm',
    'module a/x.wat',
    'executor b/executor.json',
    'module b/build/other.wasm',
  ];
  assert.deepEqual(await found(root), all);
  assert.deepEqual(
    await found(root, ['b/build/b.wasm', '.', 'b', 'b/executor.json', 'z.wasm']),
    all,
  );
});

test('an artifact that is named outright without its manifest is a module', async () => {
  const root = tree({ 'executor.json': manifest('a.wasm'), 'a.wasm': '', 'b.bin': '' });
  assert.deepEqual(await found(root, ['a.wasm', 'b.bin']), ['module a.wasm', 'module b.bin']);
  assert.deepEqual(await found(root, ['a.wasm', 'executor.json']), ['executor executor.json']);
});

test('a broken manifest is found with its problems, and still claims its artifact', async () => {
  const root = tree({ 'executor.json': '{ "artifact": "a.wasm", "tier": 9 }', 'a.wasm': '' });
  assert.deepEqual(await found(root), ['executor executor.json']);
});

test('what git ignores is skipped: every level, the repository’s exclude, the folders above', async () => {
  const root = tree({
    '.git/info/exclude': 'excluded/\n',
    '.gitignore': 'build/\n*.tmp.wasm\n',
    'a.tmp.wasm': '',
    'build/b.wasm': '',
    'excluded/c.wasm': '',
    'deep/.gitignore': '/only-here.wasm\n!kept.tmp.wasm\n',
    'deep/only-here.wasm': '',
    'deep/kept.tmp.wasm': '',
    'deep/below/only-here.wasm': '',
    'sub/.git/config': '',
    'sub/build/d.wasm': '',
  });
  assert.deepEqual(await found(root), [
    'module deep/kept.tmp.wasm',
    'module deep/below/only-here.wasm',
    'module sub/build/d.wasm',
  ]);
  assert.deepEqual(await found(root, ['deep']), [
    'module deep/kept.tmp.wasm',
    'module deep/below/only-here.wasm',
  ]);
});

test('git itself ignores the same', async () => {
  const root = tree({
    '.gitignore': '*.wasm\n!a/**/keep.wasm\n/b/*\n!/b/c/\n\\#x/\nq?.wat\n',
    'a/keep.wasm': '',
    'a/d/keep.wasm': '',
    'a/drop.wasm': '',
    'b/e.wat': '',
    'b/c/f.wat': '',
    '#x/g.wat': '',
    'q1.wat': '',
    'q12.wat': '',
  });
  execFileSync('git', ['init', '-q'], { cwd: root });
  const git = execFileSync('git', ['ls-files', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const expected = git.split('\n').filter((path) => /\.wa[st]m?$/.test(path));
  const modules = (await found(root)).map((line) => line.replace('module ', ''));
  assert.deepEqual(modules.sort(), expected.sort());
  assert.ok(modules.length > 2);
});

test('an ignored path that is named outright is taken', async () => {
  const root = tree({
    '.git/HEAD': '',
    '.gitignore': 'build/\n*.wasm',
    'build/a.wasm': '',
    'b.wasm': '',
  });
  assert.deepEqual(await found(root), []);
  assert.deepEqual(await found(root, ['build']), ['module build/a.wasm']);
  assert.deepEqual(await found(root, ['b.wasm']), ['module b.wasm']);
});

test('links to folders are not followed, so that loops end', onPosix, async () => {
  const root = tree({ 'a/x.wasm': '' });
  symlinkSync('..', join(root, 'a/up'));
  symlinkSync('self', join(root, 'a/self'));
  symlinkSync('loop.wasm', join(root, 'a/loop.wasm'));
  symlinkSync('x.wasm', join(root, 'a/y.wasm'));
  assert.deepEqual(await found(root), [
    'problem a/loop.wasm unreadable',
    'module a/x.wasm',
    'module a/y.wasm',
  ]);
});

test('pipes with the name of a module are passed over', onPosix, async () => {
  const root = tree({ 'a.wasm': '' });
  execFileSync('mkfifo', [join(root, 'pipe.wasm')]);
  assert.deepEqual(await found(root), ['module a.wasm']);
});

test('a path that is not there is a problem, and the others are still searched', async () => {
  const root = tree({ 'b/a.wasm': '' });
  assert.deepEqual(await found(root, ['none', 'b']), [
    'module b/a.wasm',
    'problem none unreadable',
  ]);
});

test('depth and number of entries are bounded, and it is told', async () => {
  const root = tree({ 'a/b/c/x.wasm': '', 'a/y.wasm': '', 'z/w.wasm': '' });
  assert.deepEqual(await found(root, ['.'], { maxDepth: 1 }), [
    'module a/y.wasm',
    'problem a/b too-large',
    'module z/w.wasm',
  ]);
  assert.deepEqual(await found(root, ['.'], { maxEntries: 3 }), ['problem a too-large']);
});

test('a search can be stopped', async () => {
  const root = tree({ 'a.wasm': '' });
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(found(root, ['.'], { signal }), /enough/);
});

test('a hostile .gitignore does not slow the search down', async () => {
  const root = tree({
    '.gitignore': `${'*a'.repeat(100)}b\n${'x\n'.repeat(50_000)}`,
    [`${'a'.repeat(200)}.wasm`]: '',
  });
  assert.equal((await found(root)).length, 1);
});

test('sources and cases are found by files, folders and patterns', onPosix, async () => {
  const root = tree({
    'src/lib.rs': '',
    'src/deep/mod.rs': '',
    'src/notes.md': '',
    'cases/1.json': '',
    'cases/old/2.json': '',
    'Cargo.toml': '',
  });
  utimesSync(join(root, 'src/lib.rs'), 100, 100);
  symlinkSync('/', join(root, 'src/root'));
  symlinkSync('../..', join(root, 'out'));
  const paths = async (...patterns: string[]) =>
    (await projectFiles(root, patterns)).map(({ path }) => path);
  assert.deepEqual(await paths('src/**/*.rs', 'Cargo.toml', 'none.rs'), [
    'Cargo.toml',
    'src/deep/mod.rs',
    'src/lib.rs',
  ]);
  assert.deepEqual(await paths('cases/*.json'), ['cases/1.json']);
  assert.deepEqual(await paths('src'), ['src/deep/mod.rs', 'src/lib.rs', 'src/notes.md']);
  assert.equal((await projectFiles(root, ['src/lib.rs']))[0]?.modifiedAt, 100_000);
  assert.deepEqual(
    (await projectFiles(join(root, 'cases'), ['../src/*.rs', '../Cargo.toml'])).map(
      ({ path }) => path,
    ),
    ['../Cargo.toml', '../src/lib.rs'],
  );
  await assert.rejects(paths('out/*.json'), /leads out of the project/);
});
