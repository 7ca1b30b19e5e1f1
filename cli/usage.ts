import type { Command } from 'commander';
import { displayText } from '../engine/encoding/display.ts';
import { complain } from './failure.ts';

/**
 * Makes a command and those below it answer wrong usage in one line, leave by exception, so that what
 * was written is flushed before the process ends, and fit their help into 80 columns.
 */
export function withPlainUsage(command: Command): Command {
  command.exitOverride().configureHelp({
    subcommandTerm: (child) => `${child.name()} ${child.usage().replace('[options] ', '')}`,
  });
  command.configureOutput({
    outputError: (text) => {
      const problem = displayText(text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), 500);
      complain(`${problem.trim()} (see ${pathOf(command)} --help)`);
    },
  });
  for (const child of command.commands) withPlainUsage(child);
  return command;
}

/** `touchstone keys trust`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
