import { concatBytes } from '@noble/hashes/utils.js';

const NEWLINE = 0x0a;

export interface LineSplitter {
  /** Takes bytes, cut anywhere; answers false once a line was answered with false. */
  write(bytes: Uint8Array): boolean;
  /** Whether the bytes ended with a line's end, or were none. */
  end(): boolean;
}

/**
 * Splits bytes that arrive in pieces into lines, each ended by a newline (0x0a), which is not part
 * of it. A line that exceeds `maxBytes` is handed over as far as it came, so that none grows without
 * bound.
 * @param onLine answers whether to go on.
 */
export function splitLines(maxBytes: number, onLine: (line: Uint8Array) => boolean): LineSplitter {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let open = true;

  const finish = (rest: Uint8Array) => {
    const line = pending.length === 0 ? rest : concatBytes(...pending, rest);
    pending = [];
    pendingBytes = 0;
    open = onLine(line);
  };

  return {
    write: (bytes) => {
      let start = 0;
      while (open && start < bytes.length) {
        const end = bytes.indexOf(NEWLINE, start);
        const rest = bytes.subarray(start, end === -1 ? bytes.length : end);
        if (end !== -1 || pendingBytes + rest.length > maxBytes) {
          finish(rest);
        } else {
          pending.push(rest.slice()); // the caller may reuse its buffer
          pendingBytes += rest.length;
        }
        start = end === -1 ? bytes.length : end + 1;
      }
      return open;
    },
    end: () => pendingBytes === 0,
  };
}
