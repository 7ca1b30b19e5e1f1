import { InputError } from '../../../engine/encoding/input-error.ts';
import { inspectModule } from '../../../engine/module/report.ts';
import { readLayout } from '../../../engine/module/walker.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';

/** Who refuses the bytes first, the engine's own walker or a later step; `undefined` if nobody does. */
export function refuser(bytes: Uint8Array): 'walker' | 'inspection' | undefined {
  if (refuses(() => readLayout(bytes))) return 'walker';
  if (refuses(() => inspectModule(nodeCrypto, bytes))) return 'inspection';
  return undefined;
}

/** A refusal is an `InputError`; anything else is a fault of the reader, and is thrown on. */
function refuses(read: () => unknown): boolean {
  try {
    read();
  } catch (error) {
    if (error instanceof InputError) return true;
    throw error;
  }
  return false;
}
