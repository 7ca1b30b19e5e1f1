import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Parser, Tree } from 'web-tree-sitter';
import type { GrammarLanguage, Grammars } from '../../source/syntax.ts';

/** The tree-sitter grammar that reads a language. AssemblyScript is TypeScript to a parser, C is C++. */
const GRAMMAR_FILES = {
  rust: 'tree-sitter-rust.wasm',
  assemblyscript: 'tree-sitter-typescript.wasm',
  c: 'tree-sitter-cpp.wasm',
  cpp: 'tree-sitter-cpp.wasm',
  zig: 'tree-sitter-zig.wasm',
  go: 'tree-sitter-go.wasm',
} as const satisfies Record<GrammarLanguage, string>;

const RUNTIME_FILE = 'web-tree-sitter.wasm';

/** A parse that takes longer is given up, in milliseconds. A source of 1 MiB takes a quarter of it. */
const MAX_PARSE_TIME = 2000;

/** A file that grammars are loaded from. */
export type GrammarFile = typeof RUNTIME_FILE | (typeof GRAMMAR_FILES)[GrammarLanguage];

/** The files that {@link nodeGrammars} looks for in its folder. */
export const GRAMMAR_FILE_NAMES: readonly GrammarFile[] = [
  ...new Set<GrammarFile>([RUNTIME_FILE, ...Object.values(GRAMMAR_FILES)]),
];

/**
 * Parsers from files. The runtime and each grammar are loaded when a parser is first asked for;
 * before that not even the package is.
 * @param where the folder that holds {@link GRAMMAR_FILE_NAMES}, or what says where each file is.
 */
export function nodeGrammars(
  where: string | URL | ((file: GrammarFile) => string | URL),
): Grammars {
  const locate = typeof where === 'function' ? where : (file: GrammarFile) => inFolder(where, file);
  const parsers = new Map<string, Promise<Parser>>();
  return {
    parser(language) {
      const file = GRAMMAR_FILES[language];
      const found = parsers.get(file);
      if (found !== undefined) return found;
      const loading = loadParser(locate(RUNTIME_FILE), locate(file));
      parsers.set(file, loading);
      // What could not be read may be there the next time.
      loading.catch(() => parsers.delete(file));
      return loading;
    },
  };
}

function inFolder(folder: string | URL, file: GrammarFile): string {
  return join(typeof folder === 'string' ? folder : fileURLToPath(folder), file);
}

async function loadParser(runtime: string | URL, grammar: string | URL): Promise<Parser> {
  const { Language, Parser } = await import('web-tree-sitter');
  await startRuntime(runtime);
  class TimedParser extends Parser {
    override parse(...[input, oldTree, options]: Parameters<Parser['parse']>): Tree | null {
      const end = performance.now() + MAX_PARSE_TIME;
      const progressCallback = () => performance.now() > end;
      return super.parse(input, oldTree, { progressCallback, ...options });
    }
  }
  const parser = new TimedParser();
  parser.setLanguage(await Language.load(await readFile(grammar)));
  return parser;
}

/** The package holds one runtime a process, and two starts at once would leave it with halves of two. */
let started: Promise<void> | undefined;

function startRuntime(file: string | URL): Promise<void> {
  started ??= initRuntime(file).catch((cause: unknown) => {
    started = undefined;
    throw cause;
  });
  return started;
}

async function initRuntime(file: string | URL): Promise<void> {
  const { Parser } = await import('web-tree-sitter');
  await Parser.init({ wasmBinary: await readFile(file), locateFile: () => String(file) });
}
