#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { attestCommand } from './commands/attest.ts';
import { auditCommand } from './commands/audit.ts';
import { batchCommand } from './commands/batch.ts';
import { certifyCommand } from './commands/certify.ts';
import { checkCommand } from './commands/check.ts';
import { keysCommand } from './commands/keys.ts';
import { lspCommand } from './commands/lsp.ts';
import { receiptsCommand } from './commands/receipts.ts';
import { runCommand } from './commands/run.ts';
import { serveCommand } from './commands/serve.ts';
import { verifyCommand } from './commands/verify.ts';
import { voucherCommand } from './commands/voucher.ts';
import { whitelistCommand } from './commands/whitelist.ts';
import { EXIT_UNUSABLE, fail } from './failure.ts';
import { withPlainUsage } from './usage.ts';
import { VERSION } from './version.ts';

function program(): Command {
  return (
    new Command('touchstone')
      .description(
        'Certifies that a WebAssembly executor cannot perform effects, and runs it behind a gate that admits nothing uncertified.',
      )
      .version(VERSION)
      // Options belong to the command they follow: `attest verify` has some that `attest` has too.
      .enablePositionalOptions()
      .addCommand(checkCommand())
      .addCommand(certifyCommand())
      .addCommand(verifyCommand())
      .addCommand(runCommand())
      .addCommand(batchCommand())
      .addCommand(receiptsCommand())
      .addCommand(attestCommand())
      .addCommand(serveCommand())
      .addCommand(auditCommand())
      .addCommand(voucherCommand())
      .addCommand(whitelistCommand())
      .addCommand(keysCommand())
      .addCommand(lspCommand())
      .addHelpText(
        'after',
        `
A first tour:
  $ touchstone check examples               what imports what, and why
  $ touchstone keys generate --out certifier.pem
  $ touchstone keys trust certifier.pem.pub --trust .touchstone/trust.json
  $ touchstone certify examples/echo --key certifier.pem
  $ touchstone verify examples/echo         the gate's checks, one by one
  $ touchstone run examples/echo --input '{"context":{"say":"hello"}}'
  $ touchstone receipts verify .touchstone/receipts

Exit codes: 0 all well, 1 a finding or a refusal, 2 wrong usage or unreadable
input. The answer goes to stdout, everything else to stderr.`,
      )
  );
}

// A reader that closes the pipe early (`touchstone check | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error);
  process.exit();
});
// Where stderr is gone there is nobody left to tell.
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

try {
  await withPlainUsage(program()).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_UNUSABLE;
  } else {
    fail(error);
  }
}
