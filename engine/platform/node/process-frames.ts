// How the parent and an executor's process talk: frames over one stream, in both directions. A frame
// is a header of 12 bytes (payload length u32, kind u8, detail u8, two zero bytes, turn u32; little
// endian) and its payload. Nothing here interprets a payload.

/** Bytes before the payload of each frame. */
export const HEADER_BYTES = 12;

/** What the parent says. */
export const TO_HOST = Object.freeze({
  /** A program, to be compiled and kept under the number `detail`. */
  program: 1,
  /** The program under the number `detail` is not needed any more. */
  forget: 2,
  /** A job of the program under the number `detail`; `turn` counts jobs. */
  job: 3,
});

/** What the host says. */
export const TO_PARENT = Object.freeze({
  /** It takes jobs from now on; `detail` is 1 where Node's permission model is in force. */
  ready: 1,
  /** The program under the number `detail` is compiled. */
  loaded: 2,
  /** The job of `turn` has completed `detail` phases. */
  progress: 3,
  /** The answer to the job of `turn`. */
  answer: 4,
});

export interface FrameHead {
  readonly kind: number;
  readonly detail: number;
  readonly turn: number;
}

export interface Frame extends FrameHead {
  /** Lies in memory that the reader uses again: copy what is kept. */
  readonly payload: Uint8Array;
}

/** Writes the header of a frame into `target`. */
export function writeHeader(
  target: Uint8Array,
  { kind, detail, turn }: FrameHead,
  payloadBytes: number,
): void {
  const view = new DataView(target.buffer, target.byteOffset, HEADER_BYTES);
  view.setUint32(0, payloadBytes, true);
  view.setUint8(4, kind);
  view.setUint8(5, detail);
  view.setUint16(6, 0, true);
  view.setUint32(8, turn, true);
}

/** A frame as bytes. */
export function encodeFrame(head: FrameHead, payload: Uint8Array = EMPTY): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(bytes, head, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

const EMPTY = new Uint8Array(0);

/** The header at the start of `bytes`; `undefined` where the reserved bytes are not zero. */
export function readHeader(
  bytes: Uint8Array,
): (FrameHead & { readonly payloadBytes: number }) | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (view.getUint16(6, true) !== 0) return undefined;
  return {
    payloadBytes: view.getUint32(0, true),
    kind: view.getUint8(4),
    detail: view.getUint8(5),
    turn: view.getUint32(8, true),
  };
}

/**
 * Cuts a stream of bytes, of which nothing is believed, into frames. It holds at most one frame that
 * is not complete, and no more of it than has arrived.
 */
export class FrameReader {
  readonly #bound: (head: FrameHead) => number;
  #parts: Uint8Array[] = [];
  #held = 0;
  #needed = HEADER_BYTES;

  /** @param bound the most bytes of payload that a frame may have at this moment. */
  constructor(bound: (head: FrameHead) => number) {
    this.#bound = bound;
  }

  /**
   * Takes the next bytes of the stream and hands over each frame that is complete with them.
   * @param onFrame answers whether reading goes on.
   * @returns what is wrong with the stream, which then cannot be read on; nothing if all is well.
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => boolean): string | undefined {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= this.#needed) {
      const bytes = this.#joined();
      const head = readHeader(bytes);
      if (head === undefined) return 'it sent bytes that are no frame';
      if (head.payloadBytes > this.#bound(head)) {
        return `it sent a frame of ${head.payloadBytes} bytes, which is more than it may`;
      }
      const end = HEADER_BYTES + head.payloadBytes;
      if (bytes.length < end) {
        this.#needed = end;
        continue;
      }
      this.#parts = bytes.length === end ? [] : [bytes.subarray(end)];
      this.#held = bytes.length - end;
      this.#needed = HEADER_BYTES;
      if (!onFrame({ ...head, payload: bytes.subarray(HEADER_BYTES, end) })) return undefined;
    }
    return undefined;
  }

  #joined(): Uint8Array {
    const [first = EMPTY] = this.#parts;
    if (this.#parts.length === 1) return first;
    const bytes = new Uint8Array(this.#held);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [bytes];
    return bytes;
  }
}
