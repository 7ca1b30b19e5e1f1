// A thread of SQLite: does one job after the other for the file that each names. What a stranger's
// statement does to it (time, memory, a trap) ends the thread, and nothing else.

import { parentPort, workerData } from 'node:worker_threads';
import { ConfinedFiles } from './confined-files.ts';
import { doJob } from './do-job.ts';
import type { Job, ThreadData } from './job.ts';
import { loadLibrary } from './library.ts';

function start(): void {
  if (parentPort === null) throw new Error('this is the script of a thread');
  const port = parentPort;
  const { library, memoryBytes }: ThreadData = workerData;
  const files = new ConfinedFiles();
  const loaded = loadLibrary(new URL(library), files, memoryBytes);
  port.on('message', (job: Job) => port.postMessage(doJob(loaded, files, job)));
}

start();
