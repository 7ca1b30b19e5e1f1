import { Command } from 'commander';
import { mintVoucherCommand } from './voucher-mint.ts';
import { verifyVoucherCommand } from './voucher-verify.ts';

/** `touchstone voucher mint|verify`. */
export function voucherCommand(): Command {
  return new Command('voucher')
    .description('grant fuel for one run of one module in one environment')
    .addCommand(mintVoucherCommand())
    .addCommand(verifyVoucherCommand())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone voucher mint --artifact examples/echo --fuel 1000000 \\
      --environment .touchstone/environment.pem.pub --expires 24h \\
      --key payer.pem --out echo.voucher
  $ touchstone voucher verify echo.voucher --artifact examples/echo

A voucher is signed by whoever pays, spent by the run that it pays for, and
worth nothing after its expiry. To accept one, trust its issuer:
  $ touchstone keys trust payer.pem.pub --as voucher-issuer \\
      --trust .touchstone/trust.json`,
    );
}
