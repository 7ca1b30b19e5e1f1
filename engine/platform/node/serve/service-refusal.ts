/** What a caller is told that gets no answer: as JSON, with a status of HTTP. */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal';
  readonly status: number;
  /** Kebab-case, stable. */
  readonly code: string;
  /** Seconds after which to ask again, where that may help. */
  readonly retryAfter: number | undefined;

  /** @param message holds nothing of the inside: it goes to strangers. */
  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}
