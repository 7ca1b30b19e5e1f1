import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLibraryName, markLastOfAuthor } from '../../../engine/module/names/author.ts';
import { recipeFor } from '../../../engine/module/recipes.ts';
import type { CallPath, ImportEntry } from '../../../engine/module/types.ts';

const WASI: ImportEntry = {
  module: 'wasi_snapshot_preview1',
  name: 'fd_write',
  kind: 'function',
  type: '(i32, i32, i32, i32) -> i32',
  offset: 0,
};

function pathOf(...names: string[]): CallPath {
  const frames = names.map((name, functionIndex) => ({
    functionIndex,
    name,
    via: functionIndex === 0 ? ('root' as const) : ('call' as const),
  }));
  return { root: { kind: 'export', name: 'plan' }, frames: markLastOfAuthor(frames, true) };
}

function recipe(entry: Partial<ImportEntry>, ...names: string[]): string {
  return recipeFor({ ...WASI, ...entry }, pathOf(...names, 'the import')) ?? 'none';
}

test('one import gets the recipe of the path by which it came', () => {
  assert.match(
    recipe({}, 'plan', 'std::io::stdio::_print', 'std::io::Write::write_all'),
    /`println!`/,
  );
  assert.match(
    recipe({}, 'plan', 'core::panicking::panic_fmt', 'std::io::Write::write_all'),
    /panic hook/,
  );
  assert.match(recipe({}, 'main', 'printf', '__stdio_write'), /`printf`/);
  assert.match(recipe({}, 'process.command_export', 'runtime._panic', 'runtime.putchar'), /TinyGo/);
  assert.equal(recipe({}, 'plan', 'my::own::code'), 'none');
});

test('start-up and panic are told apart for one import', () => {
  const environ = { name: 'environ_get' };
  assert.match(
    recipe(environ, 'plan.command_export', '__wasm_call_ctors', '__wasilibc_initialize_environ'),
    /start-up/,
  );
  assert.match(
    recipe(
      environ,
      'plan',
      'std::panicking::rust_panic_with_hook',
      'getenv',
      '__wasilibc_initialize_environ',
    ),
    /panic hook/,
  );
});

test('knows the other culprits', () => {
  assert.match(recipe({ name: 'random_get' }, 'plan', 'std::sys::hashmap_random_keys'), /HashMap/);
  assert.match(
    recipe({ name: 'random_get' }, 'plan', 'getrandom::imp::getrandom_inner'),
    /getrandom/,
  );
  assert.match(recipe({ name: 'clock_time_get' }, 'plan', 'std::time::SystemTime::now'), /time/);
  assert.match(recipe({ module: 'wbg', name: '__wbg_now_1234' }, 'plan'), /wasm-bindgen/);
  assert.match(recipe({ module: 'env', name: 'now' }, 'plan', 'js_sys::Date::now'), /wasm-bindgen/);
  const abort = { module: 'env', name: 'abort', type: '(i32, i32, i32, i32) -> ()' };
  assert.match(
    recipe(abort, 'plan', '~lib/rt/stub/__alloc'),
    /`~lib\/rt\/stub\/__alloc`.*--use abort=/,
  );
  const seed = { module: 'env', name: 'seed', type: '() -> f64' };
  assert.match(recipe(seed, 'assembly/index/plan', '~lib/math/NativeMath.random'), /--use seed=/);
  assert.match(recipe({ module: 'env', name: 'helper' }, 'plan'), /--allow-undefined/);
  assert.equal(recipe({ module: 'env', name: 'helper' }, 'plan', 'core::fmt::write'), 'none');
});

test('an imported memory needs no path', () => {
  const memory: ImportEntry = {
    ...WASI,
    module: 'env',
    name: 'memory',
    kind: 'memory',
    type: 'i32 1',
  };
  assert.match(recipeFor(memory, undefined) ?? '', /-sIMPORTED_MEMORY=0/);
  assert.equal(recipeFor(WASI, undefined), undefined);
});

test('shows names from the file harmlessly', () => {
  assert.ok(!recipe({ module: 'env', name: 'a\n\u202eb' }, 'plan').includes('\n'));
});

test('tells library frames from the author’s', () => {
  for (const name of [
    'core::fmt::write',
    'alloc::vec::Vec<T,A>::push',
    '<&mut W as core::fmt::Write>::write_str',
    '<alloc::string::String as core::fmt::Write>::write_str',
    '<T as core::any::Any>::type_id',
    '<[u8] as core::fmt::Debug>::fmt',
    '<core::slice::Iter<u8> as core::iter::Iterator>::position::<app::f>',
    'rust_begin_unwind',
    '__rust_alloc',
    '__wasm_call_ctors',
    '_start',
    'plan.command_export',
    '__wasilibc_initialize_environ',
    'dlmalloc',
    'printf_core',
    '__stdio_write',
    'memcpy',
    'fputs',
    '~lib/rt/stub/__new',
    'runtime.alloc',
    '(*os.File).Write',
    'std::__2::basic_ostream<char>::flush()',
    'operator new(unsigned long)',
    'emscripten_builtin_malloc',
  ]) {
    assert.equal(isLibraryName(name), true, name);
  }
  for (const name of [
    'plan',
    'app::main',
    'func[12]',
    '<app::Thing as core::fmt::Display>::fmt',
    '<app::Thing>::new',
    '<T as app::Service>::call',
    '<Vec as app::Service>::call',
    'assembly/index/plan',
    'main.main',
    'corelib::run',
    'standard',
    'write_report',
    'Widget::draw(int)',
    '',
  ]) {
    assert.equal(isLibraryName(name), false, name);
  }
});
