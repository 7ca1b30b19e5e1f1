import type { Dispatcher } from 'undici';
import { bytesExhausted, type NetworkRefusal, tooLarge } from './network-refusal.ts';

export interface WireLimits {
  /** Bytes that a request may have, with its head. */
  readonly requestBytes: number;
  /** Bytes that the body of a response may have, as they come. */
  readonly responseBytes: number;
  /** Bytes that all requests and responses may have together; unbounded if left out. */
  readonly totalBytes?: number | undefined;
}

/** Bytes that the heads before one body may have: any number of informational ones may come first. */
const MAX_HEADS_BYTES = 65_536;

/**
 * Counts what goes over the wire for one request and the redirects that follow from it: heads and
 * bodies as HTTP writes them, compressed where they are, without the framing of chunks and TLS.
 */
export class WireMeter {
  readonly #limits: WireLimits;
  readonly #onBytes: ((count: number) => void) | undefined;
  #bytes = 0;
  #wasSent = false;

  constructor(limits: WireLimits, onBytes?: (count: number) => void) {
    this.#limits = limits;
    this.#onBytes = onBytes;
  }

  /** Bytes out and in together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a request has gone out, at least in part. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  /**
   * Meters every request that goes through a dispatcher. A request over the limits is not sent; a
   * response over the limits is cut off.
   * @param bodyBytes of the request.
   */
  interceptor(bodyBytes: number): Dispatcher.DispatchInterceptor {
    return (dispatch) => (options, handler) => {
      const requestBytes = requestSize(options) + bodyBytes;
      this.#checkRequest(requestBytes);
      return dispatch(options, this.#watch(handler, requestBytes));
    };
  }

  #watch(handler: Dispatcher.DispatchHandler, requestBytes: number): Dispatcher.DispatchHandler {
    let headBytes = 0;
    let bodyBytes = 0;
    let refusal: NetworkRefusal | undefined;
    const isWithin = (controller: Dispatcher.DispatchController, count: number) => {
      this.#add(count);
      if (refusal !== undefined) return false;
      const found = this.#judgeResponse(headBytes, bodyBytes);
      // The library's fetch loses an error that comes in the same turn as the head of the response.
      if (found !== undefined) setImmediate(() => controller.abort(found));
      refusal = found;
      return found === undefined;
    };
    return {
      onRequestStart: (controller, context) => {
        this.#wasSent = true;
        this.#add(requestBytes);
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (controller, status, headers, socket) => {
        handler.onRequestUpgrade?.(controller, status, headers, socket);
      },
      onResponseStart: (controller, status, headers, statusMessage) => {
        const size = STATUS_LINE + headSize(headers);
        headBytes += size;
        if (isWithin(controller, size)) {
          handler.onResponseStart?.(controller, status, headers, statusMessage);
        }
      },
      onResponseData: (controller, chunk) => {
        bodyBytes += chunk.length;
        if (isWithin(controller, chunk.length)) handler.onResponseData?.(controller, chunk);
      },
      onResponseEnd: (controller, trailers) => {
        const found = refusal;
        if (found === undefined) handler.onResponseEnd?.(controller, trailers);
        // The request is over, and nothing is left to be aborted.
        else setImmediate(() => handler.onResponseError?.(controller, found));
      },
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    };
  }

  #add(count: number): void {
    this.#bytes += count;
    this.#onBytes?.(count);
  }

  #checkRequest(bytes: number): void {
    if (bytes > this.#limits.requestBytes) {
      throw tooLarge('request', this.#limits.requestBytes, this.#wasSent);
    }
    if (this.#isOverTotal(bytes)) throw bytesExhausted(this.#wasSent);
  }

  #judgeResponse(headBytes: number, bodyBytes: number): NetworkRefusal | undefined {
    if (headBytes > MAX_HEADS_BYTES) return tooLarge('response', MAX_HEADS_BYTES, true);
    if (bodyBytes > this.#limits.responseBytes) {
      return tooLarge('response', this.#limits.responseBytes, true);
    }
    return this.#isOverTotal(0) ? bytesExhausted(true) : undefined;
  }

  #isOverTotal(more: number): boolean {
    return this.#bytes + more > (this.#limits.totalBytes ?? Number.POSITIVE_INFINITY);
  }
}

/** What a line of a head takes beside its texts: `: ` and the line break. */
const LINE = 4;

/** `HTTP/1.1 200`, and the empty line that ends a head. */
const STATUS_LINE = 16;

function requestSize({ method, path, headers }: Dispatcher.DispatchOptions): number {
  return method.length + path.length + LINE + headSize(headers);
}

function headSize(headers: unknown): number {
  let size = 0;
  for (const [name, value] of Object.entries(headers ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      size += name.length + String(each).length + LINE;
    }
  }
  return size;
}
