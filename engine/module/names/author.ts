import type { CallFrame } from '../types.ts';

/**
 * Names of runtimes, standard libraries and known bindings, after demangling. What none of these
 * knows is taken for the author's own: a frame too many there is better than one too few, since the
 * mark tells the author where to look.
 */
const LIBRARY_NAMES: readonly RegExp[] = [
  // Rust: the standard library, the crates it is built from, and the symbols rustc generates.
  /^(?:core|std|alloc|compiler_builtins|proc_macro|panic_abort|panic_unwind|unwind|rustc_demangle|hashbrown|addr2line|gimli|object|miniz_oxide|adler2?|dlmalloc|memchr|wee_alloc)::/,
  /^__?(?:rust|rdl|rg|rustc)_/,
  /^rust_(?:begin_unwind|panic|oom|eh_personality)/,
  // Rust: bindings whose very purpose is a host function.
  /^(?:wasi|wasip\d|getrandom|js_sys|web_sys|wasm_bindgen|console_error_panic_hook|wit_bindgen)::/,
  /^__wbindgen_|^__wbg_|^__externref_/,
  // WASI start-up and wasi-libc, as wasm-ld and clang name them.
  /^__wasi_|^__imported_|^__wasilibc_|^__wasm_|^_start$|^_initialize$|\.command_export$/,
  /^__(?:original_main|main_void|main_argc_argv|libc_|stdio_|std(?:in|out|err)_|towrite|toread|fwritex|overflow|uflow|lock|unlock|ofl_|fdopen|fopen|fmodeflags|lctrans|strerror|errno|syscall|pthread|wait|wake|init_|funcs_on_exit|cxa_|cxx_|expand_heap|secs_to|tm_to|asctime|isoc99|small_printf|math_|rand48|assert_fail|stack_chk|multi3|ashlti3|lshrti3|udivti3|divti3|umodti3|modti3|addtf3|subtf3|multf3|divtf3|(?:un|e|ne|l|g)[a-z]{1,2}tf2|extend[a-z]+|trunc[a-z]+|fix[a-z]+|float[a-z]+)/,
  /^(?:dl)?(?:malloc|free|calloc|realloc|memalign|posix_memalign|aligned_alloc|sbrk|abort_message)$|^(?:dlmalloc|dlfree|dlcalloc|dlrealloc|dispose_chunk|internal_memalign|tmalloc_|prepend_alloc|try_realloc_chunk|emmalloc)/,
  /^(?:mem|wmem)(?:cpy|move|set|cmp|chr|rchr|mem)$|^w?(?:str|stp|wcs)[a-z]{2,8}(?:_l|_r)?$/,
  /^(?:v|f|s|sn|as|d|vs|vf|vsn|vas|vd|w|vw|fw|vfw|sw|i|fi|si|vfi)?printf(?:_core|_l)?$|^(?:v|f|s|vs|vf)?scanf$|^printf_core$|^(?:pop_arg|pad|fmt_fp|fmt_[oxu]|getint|out|wctomb|wcrtomb|mbrtowc|mbtowc|frexpl?|scalbnl?|fmodl?|copysignl?)$/,
  /^f?(?:puts|putc|putchar|getc|gets|getchar|open|close|read|write|seek|tell|flush|eof|error|dopen)(?:_unlocked)?$|^(?:putc|getc|putchar|getchar)(?:_unlocked)?$|^(?:writev|readv|lseek|isatty|do_putc|locking_putc|fputs_unlocked|fwrite_unlocked|fseeko?|ftello?|rewind|perror|remove|rename|unlink|mkdir|stat|fstat|setenv|getcwd|qsort|bsearch|time|clock|clock_gettime|gettimeofday|gmtime|localtime|mktime|strftime|nanosleep|usleep|sleep|rand|srand|random|srandom|getentropy|arc4random|getenv|exit|_exit|_Exit|atexit|abort|raise|signal|setlocale|iswprint|dummy|libc_exit_fini|call_dtors)$/,
  /^(?:_ZNK?S|_ZS|_ZT|_Zn|_Zd)|^(?:\w[\w: <>,*&]* )?std::|^operator (?:new|delete)|^(?:non-virtual thunk to|virtual thunk to|vtable for|guard variable for) |^__cxxabiv1::|^__gnu_cxx::|^(?:fallback_malloc|abort_message|demangling_)/,
  // Emscripten's own support code.
  /^_?_?emscripten_|^_emval_|^_embind_|^em_|^legalstub\$|^dynCall_|^invoke_|^setThrew$|^stack(?:Save|Restore|Alloc)$|^embind_|^emscripten::/,
  // AssemblyScript's library and the helpers of its compiler.
  /^~lib\/|^~(?:setArgumentsLength|start)$|^__(?:new|pin|unpin|collect|renew|link|visit)$/,
  // Go and TinyGo.
  /^(?:runtime|internal|syscall|os|fmt|sync|reflect|strconv|unicode|io|errors|time|math|sort|bufio|bytes|strings|syscall\/js|_rt0_wasm_\w+|wasm_(?:export|pc)\w*|gosave_\w+|gogo|callRet|memeqbody|cmpbody|memhash\w*|go:\w+)[./(]/,
  /^\(\*?(?:runtime|internal|syscall|os|fmt|sync|reflect|strconv|io|time|bufio|bytes|strings)[./]/,
  /^(?:_rt0_wasm_|wasm_export_|wasm_pc_f_loop|gcWriteBarrier|tinygo_|runtime\.)/,
  // Zig's standard library; `std::` is covered above.
  /^(?:std|builtin|compiler_rt|start|debug|fmt|io|fs|os|heap|mem|posix)\.[\w.]+/,
];

/** Rust: `<Type as Trait>::method` and `<Type>::method`, also as the first part of a longer path. */
const RUST_IMPL = /^<(.*)>::/;
const RUST_LIBRARY_PATH =
  /^(?:core|std|alloc|compiler_builtins|hashbrown|panic_abort|panic_unwind|dlmalloc|wasi|getrandom|wasm_bindgen|js_sys|web_sys)::/;

/** Whether a function belongs to a runtime or library rather than to the author's own code. */
export function isLibraryName(name: string): boolean {
  const impl = RUST_IMPL.exec(name)?.[1];
  if (impl !== undefined) return isLibraryImpl(impl);
  return LIBRARY_NAMES.some((pattern) => pattern.test(name));
}

/**
 * Decides `Type as Trait`: an implementation for an author's type is the author's, one for a type of
 * the standard library is not, and one for a primitive or a type parameter belongs to the trait.
 */
function isLibraryImpl(impl: string): boolean {
  const [type = '', trait = ''] = splitAs(impl);
  const self = type.replace(/^(?:&|\*|mut |const |dyn |\(|\[)+/, '');
  if (RUST_LIBRARY_PATH.test(self)) return true;
  if (self.includes('::')) return false;
  return trait === '' || RUST_LIBRARY_PATH.test(trait);
}

/** Splits at the ` as ` that is not inside angle brackets. */
function splitAs(impl: string): readonly string[] {
  let depth = 0;
  for (let i = 0; i < impl.length; i++) {
    const c = impl[i];
    if (c === '<') depth++;
    else if (c === '>' && impl[i - 1] !== '-') depth--;
    else if (depth === 0 && impl.startsWith(' as ', i))
      return [impl.slice(0, i), impl.slice(i + 4)];
  }
  return [impl];
}

/**
 * Marks the last frame of the author's own code: exactly one, the root's if none is the author's.
 * @param endsAtImport whether the last frame is the imported function, which is never the author's.
 */
export function markLastOfAuthor(
  frames: readonly Omit<CallFrame, 'lastOfAuthor'>[],
  endsAtImport: boolean,
): CallFrame[] {
  const candidates = endsAtImport ? frames.slice(0, -1) : frames;
  const last = candidates.findLastIndex(({ name }) => !isLibraryName(name));
  return frames.map((frame, i) => ({ ...frame, lastOfAuthor: i === Math.max(last, 0) }));
}
