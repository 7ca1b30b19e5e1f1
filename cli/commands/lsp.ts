import { Command } from 'commander';

/** `touchstone lsp --stdio`. */
export function lspCommand(): Command {
  return new Command('lsp')
    .description('the language server, for any editor that speaks the protocol')
    .requiredOption('--stdio', 'speak over standard input and output')
    .addHelpText(
      'after',
      `
Nothing but the protocol is ever written to stdout. README.md says how Neovim and
others are told to start it.`,
    )
    .action(async () => {
      const { serveStdio } = await import('../../server/stdio.ts');
      serveStdio(new URL('./', import.meta.url));
    });
}
