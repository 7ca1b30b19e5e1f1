/** What kind of input could not be read. The command line answers each with exit code 2. */
export type InputErrorCode =
  | 'invalid-module'
  | 'component-not-module'
  | 'reader-disagreement'
  | 'invalid-json'
  | 'invalid-utf8'
  | 'invalid-key'
  | 'invalid-whitelist'
  | 'invalid-certificate'
  | 'invalid-manifest'
  | 'invalid-trust-store'
  | 'invalid-policy'
  | 'invalid-agency'
  | 'invalid-receipt'
  | 'invalid-voucher'
  | 'invalid-attestation'
  | 'invalid-compatibility'
  | 'invalid-request'
  | 'invalid-wat'
  | 'invalid-snapshot'
  | 'nondeterministic'
  | 'not-saveable'
  | 'too-large'
  | 'unreadable'
  | 'unwritable'
  | 'usage';

/**
 * Input that cannot be read for what it claims to be. The message is one line, made for a person:
 * what was found, where, what was expected. `offset` is the byte in the input, where there is one.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code: InputErrorCode;
  readonly offset: number | undefined;

  constructor(
    code: InputErrorCode,
    message: string,
    options: { readonly offset?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.offset = options.offset;
  }
}
