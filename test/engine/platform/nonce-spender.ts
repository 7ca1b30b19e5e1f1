// Spends nonces FIRST, FIRST + 1, … of one issuer until it is killed or has asked for COUNT, and writes
// `nonce answer` for each to standard output. Begins when something comes on standard input. Usage: spender FOLDER FIRST COUNT EXPIRY
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { fileNonceStore } from '../../../engine/platform/node/nonce-store.ts';

const [, , folder = '', first = '0', count = 'Infinity', expiry = '100'] = process.argv;
const store = fileNonceStore(nodeCrypto, folder);
writeSync(1, 'ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
for (let n = Number(first); n < Number(first) + Number(count); n++) {
  const answer = await store.spend({ issuer: 'spender', nonce: `${n}` }, Number(expiry));
  writeSync(1, `${n} ${answer}\n`);
}
