// Appends runs to the chain `call` until it is killed or has appended COUNT, and writes each
// acknowledged tip to standard output. Usage: appender FOLDER FIRST_RUN COUNT
import { writeSync } from 'node:fs';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { appendRun, crypto } from './fixtures.ts';

const [, , folder = '', first = '0', count = 'Infinity'] = process.argv;
const chain = fileReceiptStore(crypto, folder).open('call');
for (let n = Number(first); n < Number(first) + Number(count); n++) {
  try {
    const { tip } = await appendRun(chain, n);
    writeSync(1, `${tip.epoch} ${tip.hash}\n`);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    writeSync(2, `${code}: ${message}\n`);
    process.exit(3);
  }
}
