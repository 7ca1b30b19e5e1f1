import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import { tooLarge } from './receipt.ts';
import { MAX_RECEIPT_BYTES } from './receipt-format.ts';
import type { ChainTip, Receipt } from './types.ts';
import { receiptText } from './write.ts';

const encoder = new TextEncoder();
const ROOM_BYTES = 262_144;
let room = new Uint8Array(0);

/** Encodes into room that is made for many receipts at once: making it for each would cost as much. */
function encode(text: string): Uint8Array {
  // UTF-8 takes at most three bytes for each unit of UTF-16.
  const most = 3 * text.length;
  if (most > ROOM_BYTES / 8) return encodeUtf8(text);
  if (room.length < most) room = new Uint8Array(ROOM_BYTES);
  const { written } = encoder.encodeInto(text, room);
  const bytes = room.subarray(0, written);
  room = room.subarray(written);
  return bytes;
}

/** A receipt with its line and its hash, made once however many ask for them. */
export class WrittenReceipt {
  readonly receipt: Receipt;
  /** The receipt's canonical bytes, without a newline. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly hash: Sha256;

  private constructor(receipt: Receipt, bytes: Uint8Array, hash: Sha256) {
    this.receipt = receipt;
    this.bytes = bytes;
    this.hash = hash;
  }

  /**
   * Writes a receipt.
   * @throws {InputError} `invalid-receipt` or `too-large` for a receipt that a reader would refuse.
   */
  static of(crypto: Crypto, receipt: Receipt): WrittenReceipt {
    return WrittenReceipt.ofText(crypto, receipt, receiptText(receipt));
  }

  /** As {@link of}, for one whose canonical text is at hand. */
  static ofText(crypto: Crypto, receipt: Receipt, text: string): WrittenReceipt {
    const bytes = encode(text);
    if (bytes.length > MAX_RECEIPT_BYTES) throw tooLarge('the receipt to append', bytes.length);
    return new WrittenReceipt(receipt, bytes, crypto.sha256(bytes));
  }

  /** The tip that the receipt makes. */
  get tip(): ChainTip {
    return { epoch: this.receipt.epoch, hash: this.hash };
  }
}
