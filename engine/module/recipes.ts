import { displayText } from '../encoding/display.ts';
import type { CallPath, ImportEntry } from './types.ts';

/** What a recipe looks at: the import, and the names on the path, the import's own left out. */
interface Culprit {
  readonly entry: ImportEntry;
  readonly names: readonly string[];
  /** Whether the author's own code calls the import itself, with no library between. */
  readonly direct: boolean;
}

interface Recipe {
  readonly applies: (culprit: Culprit) => boolean;
  readonly text: string | ((culprit: Culprit) => string);
}

const onPath =
  (...patterns: readonly RegExp[]) =>
  ({ names }: Culprit) =>
    names.some((name) => patterns.some((pattern) => pattern.test(name)));

const RUST_PANIC =
  /^(?:core|std)::panicking::|rust_(?:begin_unwind|panic)|^std::sys(?:_common)?::backtrace|^std::sys::backtrace|^(?:core::result::unwrap_failed|core::option::expect_failed|alloc::raw_vec::handle_error|alloc::alloc::handle_alloc_error)/;
const RUST_PRINT =
  /^std::io::(?:stdio::_e?print|Write::write_(?:all|fmt))|^<?(?:&mut )?std::io::stdio::|^<std::io::.* as (?:core::fmt|std::io)::Write>|^<.*std::io::.*Adapter/;
const START_UP =
  /^(?:_start|_initialize|__wasm_call_ctors|__original_main|__wasilibc_(?:initialize_environ|populate_preopens|register_)\w*|__main_void|__wasi_init_tp)$/;
const STDIO =
  /^(?:v|f|vf|d|i|vi)?printf(?:_core)?$|^f?(?:puts|putc|write|flush)(?:_unlocked)?$|^putchar|^__(?:stdio_write|stdout_write|towrite|fwritex|overflow)|^writev$|^perror$|^std::__[12]::(?:basic_ostream|__put_character)/;
const CLOCK =
  /^<?std::time::|^std::sys::(?:\w+::)*(?:time|Instant|SystemTime)|^(?:clock_gettime|__clock_gettime|gettimeofday|time|clock)$|^time\.Now|^runtime\.(?:nanotime1?|walltime|ticks)$/;
const RANDOM =
  /^getrandom::|hashmap_random_keys|^std::(?:hash::random|collections::hash::map)::RandomState|RandomState as core::default::Default|^std::sys::random|^(?:getentropy|arc4random|__getrandom)/;
const WASM_BINDGEN = /^(?:wasm_bindgen|js_sys|web_sys)::|^__wb(?:indgen|g)_/;
const ASSEMBLYSCRIPT = /^~lib\/|^assembly\/|^start:/;
const GO = /^runtime[./]|^\(\*?runtime\.|^syscall[./]|^_rt0_wasm/;
const FOUR_I32 = '(i32, i32, i32, i32) -> ()';

/** Most telling first. A path through a panic is a panic's, whatever it prints on its way. */
const RECIPES: readonly Recipe[] = [
  {
    applies: ({ entry }) => entry.kind === 'memory',
    text: 'The module takes its memory from the host. Link it with a memory of its own: without `--import-memory` (wasm-ld) or `--importMemory` (AssemblyScript), with `-sIMPORTED_MEMORY=0` (Emscripten).',
  },
  {
    applies: ({ entry }) =>
      (entry.kind === 'global' || entry.kind === 'table') &&
      /^(?:__memory_base|__table_base|__stack_pointer|__indirect_function_table)$/.test(entry.name),
    text: 'The module is built for dynamic linking, so the host must place its memory and table. Link it statically: without `-shared` or `-sSIDE_MODULE`.',
  },
  {
    applies: (culprit) =>
      culprit.entry.name === 'abort' &&
      culprit.entry.type === FOUR_I32 &&
      (culprit.names.length === 0 || culprit.direct || onPath(ASSEMBLYSCRIPT)(culprit)),
    text: ({ names }) =>
      `AssemblyScript calls \`abort\` for what goes wrong${at(names)}: a failed check, a \`throw\`, no memory. Compile with \`--use abort=\` to trap there instead, or with \`--use abort=assembly/index/yourAbort\`.`,
  },
  {
    applies: (culprit) =>
      culprit.entry.name === 'seed' &&
      culprit.entry.type === '() -> f64' &&
      (culprit.direct || onPath(ASSEMBLYSCRIPT)(culprit)),
    text: ({ names }) =>
      `\`Math.random()\`${at(names)} asks the host for a seed. Take random numbers from the input, or compile with \`--use seed=assembly/index/yourSeed\`.`,
  },
  {
    applies: ({ entry, names }) =>
      /^(?:wbg|__wbindgen_\w+)$|_bg\.js$/.test(entry.module) ||
      names.some((name) => WASM_BINDGEN.test(name)),
    text: 'wasm-bindgen ties the module to a JavaScript host. Build without it: look for a crate feature named `js`, `wasmbind` or `wasm-bindgen` (`cargo tree -i wasm-bindgen -e features` says who turned it on).',
  },
  {
    applies: onPath(RUST_PANIC),
    text: 'Rust’s panic hook prints the message and reads the environment, so every panic that may happen brings this import. Building for `wasm32-unknown-unknown` removes it; deleting a `println!` does not.',
  },
  {
    applies: onPath(RANDOM),
    text: 'Random numbers are asked from the host, for `HashMap` by its default hasher. Use `BTreeMap` or a hasher with a fixed seed, and for the `getrandom` crate a custom backend that is fed from the input.',
  },
  {
    applies: onPath(CLOCK),
    text: 'The clock is read. Take the time from the input or the context instead, so that the same run gives the same result.',
  },
  {
    applies: onPath(RUST_PRINT),
    text: '`println!`, `print!` and their like write to standard output. Write to the host’s log instead, or return the text; building for `wasm32-unknown-unknown` removes the import, since printing does nothing there.',
  },
  {
    applies: onPath(STDIO),
    text: '`printf` and its like write to standard output. Format into a buffer (`snprintf`) and return it, or write to the host’s log.',
  },
  {
    applies: onPath(START_UP),
    text: 'The C library’s start-up needs this before any of your code runs. In Rust build for `wasm32-unknown-unknown`; in C link without it (`-nostdlib -Wl,--no-entry -Wl,--export=plan`).',
  },
  {
    applies: ({ entry, names }) =>
      /^(?:gojs|go)$/.test(entry.module) || names.some((name) => GO.test(name)),
    text: 'Go’s runtime itself needs the host. Build with TinyGo for `-target=wasm-unknown`, whose runtime needs none.',
  },
  {
    applies: ({ entry }) => entry.module === 'env' && /^invoke_|^__cxa_/.test(entry.name),
    text: 'Emscripten throws C++ exceptions through JavaScript. Compile and link with `-fwasm-exceptions`, or with `-fno-exceptions`.',
  },
  {
    applies: ({ entry, direct }) => entry.module === 'env' && entry.kind === 'function' && direct,
    text: ({ entry }) =>
      `Nothing defines \`${displayText(entry.name)}\`, so the linker made it an import (\`--allow-undefined\`, or a declaration that names no module). Define it, or link the library that does.`,
  },
];

/**
 * What an author can do about an impure import: one or two sentences, or `undefined` if the path is
 * that of no known culprit. Follows the path that was found (`CallGraph.pathTo`): the same import may
 * come from a panic, a print or the start-up.
 */
export function recipeFor(entry: ImportEntry, path: CallPath | undefined): string | undefined {
  const frames = path?.frames ?? [];
  const before = entry.kind === 'function' ? frames.slice(0, -1) : frames;
  const culprit: Culprit = {
    entry,
    names: before.map(({ name }) => name),
    direct: before.at(-1)?.lastOfAuthor ?? false,
  };
  const recipe = RECIPES.find(({ applies }) => applies(culprit));
  if (recipe === undefined) return undefined;
  return typeof recipe.text === 'string' ? recipe.text : recipe.text(culprit);
}

function at(names: readonly string[]): string {
  const caller = names.at(-1);
  return caller === undefined ? '' : ` in \`${displayText(caller, 80)}\``;
}
