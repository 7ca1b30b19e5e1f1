// An analysis thread: reads modules and sources of strangers, so that neither their size nor what they
// do to a parser holds up the conversation with the editor. It is ended where it takes too long.

import { parentPort, workerData } from 'node:worker_threads';
import { InputError } from '../../engine/encoding/input-error.ts';
import { createAssembler } from '../../engine/module/wat.ts';
import { nodeGrammars } from '../../engine/platform/node/grammars.ts';
import { assembles } from './assemble.ts';
import { examineModuleFile, examineProject } from './examine.ts';
import { inspect, reportOf } from './inspect.ts';
import type { Job, JobFailure, JobResults, ThreadData } from './jobs.ts';
import { analyseSource } from './source.ts';

/** A job on its way to a thread, and its answer on the way back. */
export interface Question {
  readonly id: number;
  readonly job: Job;
}
export interface Answer {
  readonly id: number;
  readonly result: JobResults[Job['kind']] | JobFailure;
}

function start(): void {
  if (parentPort === null) throw new Error('this is the script of a thread');
  const port = parentPort;
  const { grammars }: ThreadData = workerData;
  const tools = { assembler: createAssembler(), grammars: nodeGrammars(new URL(grammars)) };
  const work = (job: Job): Promise<JobResults[Job['kind']]> => {
    switch (job.kind) {
      case 'project':
        return examineProject(job);
      case 'module':
        return examineModuleFile(job);
      case 'inspect':
        return inspect(job, tools.assembler);
      case 'report':
        return reportOf(job);
      case 'source':
        return analyseSource(job, tools);
      case 'assemble':
        return assembles(job.texts, tools.assembler);
    }
  };
  port.on('message', async ({ id, job }: Question) => {
    const answer: Answer = { id, result: await work(job).catch(failure) };
    port.postMessage(answer);
  });
}

function failure(error: unknown): JobFailure {
  if (error instanceof InputError) return { failed: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { failed: 'crashed', message };
}

start();
