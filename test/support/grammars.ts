import { type GrammarFile, nodeGrammars } from '../../engine/platform/node/grammars.ts';
import type { Grammars } from '../../engine/source/syntax.ts';

/** The grammars of a checkout, straight from the packages that bring them. */
export const grammars: Grammars = nodeGrammars(
  (file) => new URL(`../../node_modules/${packageOf(file)}/${file}`, import.meta.url),
);

function packageOf(file: GrammarFile): string {
  switch (file) {
    case 'web-tree-sitter.wasm':
      return 'web-tree-sitter';
    case 'tree-sitter-zig.wasm':
      return '@tree-sitter-grammars/tree-sitter-zig';
    default:
      return '@vscode/tree-sitter-wasm/wasm';
  }
}
