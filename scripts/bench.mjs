// npm run bench [NAME] [-- --json]: runs one benchmark of bench/, or all of them.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ROOT, run, say } from './prepare.mjs';

const args = process.argv.slice(2);
const [name] = args.filter((arg) => !arg.startsWith('--'));
const known = readdirSync(join(ROOT, 'bench'))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length));

if (name !== undefined && !known.includes(name)) {
  say(`There is no benchmark "${name}". There are: ${known.join(', ')}`);
  process.exit(2);
}
await ensureBuilt();
for (const each of name === undefined ? known : [name]) {
  run(process.execPath, [
    '--import',
    'tsx',
    join('bench', `${each}.bench.ts`),
    ...args.filter((arg) => arg.startsWith('--')),
  ]);
}
