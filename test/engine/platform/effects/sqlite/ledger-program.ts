// Performs the effects 0, 1, …, each a line in FOLDER/effects, under a ledger; says what it knows of
// each, and when one is begun and finished. Usage: program FOLDER COUNT
import { createHash } from 'node:crypto';
import { appendFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Sha256 } from '../../../../../engine/crypto/crypto.ts';
import { fileLedger } from '../../../../../engine/platform/node/effects/sqlite/ledger.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex') as Sha256;
const [, , folder = '', count = '0'] = process.argv;
const ledger = fileLedger(join(folder, 'ledger.sqlite'));
writeSync(1, 'ready\n');
for (let n = 0; n < Number(count); n++) {
  const key = sha256(`${n}`);
  const entry = await ledger.begin(key, sha256(`directive ${n}`));
  writeSync(1, `${entry.state} ${n}\n`);
  if (entry.state !== 'new') continue;
  appendFileSync(join(folder, 'effects'), `${n}\n`);
  await ledger.finish(key, { result: { n } });
  writeSync(1, `finished ${n}\n`);
}
await ledger.close();
