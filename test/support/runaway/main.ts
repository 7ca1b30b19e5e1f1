// All shapes as a program of its own, for a Node other than the one that runs the tests.

import { runShapes, throwProblems } from './run.ts';

const { problems, ...about } = runShapes();
problems.push(...throwProblems('legacy'), ...throwProblems('standard'));
process.stdout.write(JSON.stringify({ ...about, problems }));
