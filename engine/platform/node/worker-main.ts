// The script of an executor's worker thread: takes a job, runs it, answers what it left behind.
// It imports the runtime's guest side and nothing that reaches a file, a process or a socket.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { execute } from '../../runtime/execute.ts';
import { READY, type WorkerJob, type WorkerStart } from './worker-protocol.ts';

function serve(port: MessagePort, { progress }: WorkerStart): void {
  port.on('message', (job: WorkerJob) => {
    const ended = execute(job, (completed) => {
      Atomics.store(progress, 0, completed.length);
    });
    port.postMessage(ended, ended.output ? [ended.output.buffer as ArrayBuffer] : []);
  });
  port.postMessage(READY);
}

if (parentPort === null) throw new Error('this script runs as a worker thread only');
serve(parentPort, workerData);
