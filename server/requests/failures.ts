import { ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { AdmissionError } from '../../engine/gate/admit.ts';
import { isMissingFile } from '../../engine/platform/node/files.ts';
import type { RequestFailure } from '../protocol.ts';

type FailureCode = RequestFailure['code'];

/** Why a request cannot be answered. The message is one line, for a person. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error of a request that the client, or the end of the server, has stopped. */
export function cancelled(): RequestError {
  return new RequestError('cancelled', 'cancelled');
}

/** What the client is told of an error: one line, never a stack. */
export function toResponseError(error: unknown): ResponseError<RequestFailure> {
  const code = failureCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === undefined) {
    const text = `internal error: ${displayText(message, 500)} (this is a bug)`;
    return new ResponseError(ErrorCodes.InternalError, text);
  }
  const line = message.trim().replace(/\s*[\r\n]+\s*/g, ' ');
  return new ResponseError(NUMBERS[code] ?? LSPErrorCodes.RequestFailed, line, { code });
}

/** The codes of the protocol for what it knows itself; all else failed. */
const NUMBERS: Readonly<Partial<Record<FailureCode, number>>> = {
  'invalid-params': ErrorCodes.InvalidParams,
  cancelled: LSPErrorCodes.RequestCancelled,
};

/** What kind of failure an error is; `undefined` for one that nobody foresaw. */
function failureCodeOf(error: unknown): FailureCode | undefined {
  if (error instanceof RequestError) return error.code;
  if (error instanceof AdmissionError) return 'not-admitted';
  if (!(error instanceof InputError)) return undefined;
  if (error.code === 'unwritable') return 'unwritable';
  return isMissingFile(error) ? 'not-found' : 'unreadable';
}
