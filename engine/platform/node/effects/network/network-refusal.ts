import { displayText } from '../../../../encoding/display.ts';

/** Why a request, a redirect or a response was not let through. */
export type NetworkRefusalCode =
  | 'invalid-url'
  | 'userinfo-refused'
  | 'scheme-refused'
  | 'host-not-granted'
  | 'address-refused'
  | 'method-not-granted'
  | 'too-many-redirects'
  | 'redirect-refused'
  | 'invalid-response'
  | 'too-large'
  | 'bytes-exhausted';

/** What the rules of the network do not let through. The message is one line, made for a person. */
export class NetworkRefusal extends Error {
  override readonly name = 'NetworkRefusal';
  readonly code: NetworkRefusalCode;
  /** Whether any request had gone out by then. */
  readonly wasSent: boolean;

  constructor(code: NetworkRefusalCode, message: string, wasSent = false) {
    super(message);
    this.code = code;
    this.wasSent = wasSent;
  }

  /** The same refusal, of something that came after a request had gone out. */
  afterSending(): NetworkRefusal {
    return new NetworkRefusal(this.code, this.message, true);
  }
}

/** @param limit in bytes. */
export function tooLarge(
  what: 'request' | 'response' | 'message',
  limit: number,
  wasSent: boolean,
): NetworkRefusal {
  const message = `the ${what} is larger than the ${limit.toLocaleString('en')} bytes that are granted`;
  return new NetworkRefusal('too-large', message, wasSent);
}

export function bytesExhausted(wasSent: boolean): NetworkRefusal {
  const message = 'the bytes that are left of the budget do not suffice';
  return new NetworkRefusal('bytes-exhausted', message, wasSent);
}

export function methodRefused(method: string, wasSent: boolean): NetworkRefusal {
  const message = `the method ${displayText(method, 20)} is not among the methods of the grant`;
  return new NetworkRefusal('method-not-granted', message, wasSent);
}
