// The suite as a program of its own, for a Node other than the one that runs the tests: prints one
// JSON document with a tally for each way of metering.

import { readSuite } from './files.ts';
import { METERINGS } from './meterings.ts';
import { runSuite } from './run.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: main SUITE');
const files = readSuite(path);
const tallies = Object.entries(METERINGS).map(([name, options]) => [
  name,
  runSuite(files, options),
]);
process.stdout.write(JSON.stringify(Object.fromEntries(tallies)));
