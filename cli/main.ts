import { Command, CommanderError } from 'commander';
import { certifyCommand } from './commands/certify.ts';
import { checkCommand } from './commands/check.ts';
import { keysCommand } from './commands/keys.ts';
import { receiptsCommand } from './commands/receipts.ts';
import { runCommand } from './commands/run.ts';
import { verifyCommand } from './commands/verify.ts';
import { whitelistCommand } from './commands/whitelist.ts';
import { describeFailure, EXIT_UNUSABLE } from './failure.ts';
import { message } from './terminal.ts';
import { VERSION } from './version.ts';

function program(): Command {
  const root = new Command('touchstone')
    .description(
      'Certifies that a WebAssembly executor cannot perform effects, and runs it behind a gate\nthat admits nothing uncertified.',
    )
    .version(VERSION)
    .addCommand(checkCommand())
    .addCommand(certifyCommand())
    .addCommand(verifyCommand())
    .addCommand(runCommand())
    .addCommand(receiptsCommand())
    .addCommand(whitelistCommand())
    .addCommand(keysCommand())
    .addHelpText(
      'after',
      `
A first tour:
  $ touchstone check examples                            what imports what, and why
  $ touchstone keys generate --out certifier.pem
  $ touchstone keys trust certifier.pem.pub --trust .touchstone/trust.json
  $ touchstone certify examples/call --key certifier.pem
  $ touchstone verify examples/call
  $ touchstone run examples/call --input @examples/call/cases/calls-a-machine.json
  $ touchstone receipts verify .touchstone/receipts

Exit codes: 0 all well, 1 a finding or a refusal, 2 wrong usage or unreadable input.`,
    );
  // Each command decides by exception how the process ends, so that stdout is flushed first.
  forEachCommand(root, (command) => {
    command.exitOverride().showHelpAfterError('(--help shows how it is used)');
  });
  return root;
}

function forEachCommand(command: Command, action: (command: Command) => void): void {
  action(command);
  for (const child of command.commands) forEachCommand(child, action);
}

// A reader that closes the pipe early (`touchstone check | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_UNUSABLE;
  } else {
    message(describeFailure(error));
    process.exitCode = EXIT_UNUSABLE;
  }
}
