import { InputError } from '../../engine/encoding/input-error.ts';
import { assembles } from './assemble.ts';
import { examineModuleFile, examineProject } from './examine.ts';
import { inspect, reportOf } from './inspect.ts';
import type { Job, JobFailure, JobResults } from './jobs.ts';
import { analyseSource, type SourceTools } from './source.ts';

/** What a job is answered with. */
export type Result = JobResults[Job['kind']] | JobFailure;

/** Does a job of any kind. Never rejects. */
export async function doJob(job: Job, tools: SourceTools): Promise<Result> {
  try {
    return await dispatch(job, tools);
  } catch (error) {
    if (error instanceof InputError) return { failed: error.code, message: error.message };
    const message = error instanceof Error ? error.message : String(error);
    return { failed: 'crashed', message };
  }
}

function dispatch(job: Job, tools: SourceTools): Promise<JobResults[Job['kind']]> {
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
}
