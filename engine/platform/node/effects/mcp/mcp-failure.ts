export type McpFailureCode =
  | 'server-failed'
  | 'server-lost'
  | 'tool-missing'
  | 'tool-failed'
  | 'malformed-answer'
  | 'too-large'
  | 'flooded'
  | 'bytes-exhausted';

/** Why a tool gave no result. The message holds no secret of the server's. */
export class McpFailure extends Error {
  override readonly name = 'McpFailure';
  readonly code: McpFailureCode;

  constructor(code: McpFailureCode, message: string) {
    super(message);
    this.code = code;
  }
}
