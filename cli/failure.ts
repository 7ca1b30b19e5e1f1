import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import { AdmissionError } from '../engine/gate/admit.ts';

/** Wrong usage, or input that cannot be read. */
export const EXIT_UNUSABLE = 2;

/** A failure as one line for a person; the stack only where TOUCHSTONE_DEBUG asks for it. */
export function describeFailure(error: unknown): string {
  if (error instanceof InputError || error instanceof AdmissionError) {
    return `touchstone: ${error.message}`;
  }
  const detail = error instanceof Error ? error.message : String(error);
  if (process.env.TOUCHSTONE_DEBUG !== undefined && error instanceof Error) {
    return `touchstone: internal error: ${error.stack}`;
  }
  return `touchstone: internal error: ${displayText(detail, 500)} (this is a bug; TOUCHSTONE_DEBUG=1 shows more)`;
}
