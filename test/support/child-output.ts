import type { ChildProcessWithoutNullStreams } from 'node:child_process';

/** What a process has printed so far. */
export interface ChildOutput {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** Collects what a process prints, from now on. */
export function collectOutput(child: ChildProcessWithoutNullStreams): ChildOutput {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return { stdout: () => stdout, stderr: () => stderr };
}
