import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import { AdmissionError } from '../engine/gate/admit.ts';
import { message } from './terminal.ts';

/** Wrong usage, or input that cannot be read. */
export const EXIT_UNUSABLE = 2;

/** Says on stderr, in one line, what was wrong. */
export function complain(problem: string): void {
  message(`touchstone: ${problem.trim().replace(/\s*[\r\n]+\s*/g, ' ')}`);
}

/** Complains about whatever was thrown, and lets the process end with {@link EXIT_UNUSABLE}. */
export function fail(error: unknown): void {
  process.exitCode = EXIT_UNUSABLE;
  if (error instanceof InputError || error instanceof AdmissionError) {
    complain(error.message);
  } else if (isOutputError(error)) {
    complain(`the answer could not be written: ${error.message}`);
  } else {
    complainAboutBug(error);
  }
}

/** A bug in one line; the stack only where TOUCHSTONE_DEBUG asks for it. */
function complainAboutBug(error: unknown): void {
  if (process.env.TOUCHSTONE_DEBUG !== undefined && error instanceof Error) {
    message(`touchstone: internal error: ${error.stack}`);
    return;
  }
  const detail = error instanceof Error ? error.message : String(error);
  complain(
    `internal error: ${displayText(detail, 500)} (this is a bug; TOUCHSTONE_DEBUG=1 shows more)`,
  );
}

/** A full disk or a closed device behind stdout. */
function isOutputError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write';
}
