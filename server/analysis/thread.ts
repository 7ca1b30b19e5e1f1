// An analysis thread: reads modules and sources of strangers, so that neither their size nor what they
// do to a parser holds up the conversation with the editor. It is ended where it takes too long.

import { parentPort, workerData } from 'node:worker_threads';
import { createAssembler } from '../../engine/module/wat.ts';
import { nodeGrammars } from '../../engine/platform/node/grammars.ts';
import type { Job, ThreadData } from './jobs.ts';
import { doJob, type Result } from './work.ts';

/** A job on its way to a thread, and its answer on the way back. */
export interface Question {
  readonly id: number;
  readonly job: Job;
}
export interface Answer {
  readonly id: number;
  readonly result: Result;
}

function start(): void {
  if (parentPort === null) throw new Error('this is the script of a thread');
  const port = parentPort;
  const { grammars }: ThreadData = workerData;
  const tools = { assembler: createAssembler(), grammars: nodeGrammars(new URL(grammars)) };
  port.on('message', async ({ id, job }: Question) => {
    const answer: Answer = { id, result: await doJob(job, tools) };
    port.postMessage(answer);
  });
}

start();
