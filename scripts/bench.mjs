// npm run bench [NAME] [-- --json]: runs one benchmark of bench/, or all of them, bundled as the
// product is, since a loader that compiles on the fly adds work of its own to every function.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, ensureBuilt } from './build.mjs';
import { ensureInstalled, ROOT, run, say } from './prepare.mjs';

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
ensureInstalled('bench/peers', 'what the benchmarks run beside Touchstone');
await bundle(
  Object.fromEntries(known.map((each) => [each, `bench/${each}.bench.ts`])),
  'dist/bench',
);
for (const each of name === undefined ? known : [name]) {
  run(process.execPath, [`dist/bench/${each}.js`, ...args.filter((arg) => arg.startsWith('--'))]);
}
