import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import {
  type HostEnd,
  type HostJob,
  startHost,
} from '../../../engine/platform/node/process-host.ts';
import { type LaunchOptions, planLaunch } from '../../../engine/platform/node/process-launch.ts';
import { createHostPool, type HostPool } from '../../../engine/platform/node/process-pool.ts';

/** Bundles the script of a host as the build does: it comes to its process as one text. */
export async function bundleHost(source: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('the bundle is empty');
  return file.contents;
}

/** The host of `process-echo.ts`, whose answers are text. */
export const echoHost = await bundleHost('process-echo.ts');

/**
 * A host written by hand, without the engine's own code. `take()` waits for a frame,
 * `send(kind, detail, turn, payload)` sends one; it has said that it is ready.
 */
export function handWritten(body: string): Uint8Array {
  return new TextEncoder().encode(`
    import { readSync, writeSync } from 'node:fs';
    const read = (n) => { const b = Buffer.alloc(n); let at = 0;
      while (at < n) { const r = readSync(3, b, at, n - at); if (r === 0) process.exit(0); at += r; }
      return b; };
    const take = () => { const h = read(12);
      return { kind: h[4], detail: h[5], turn: h.readUInt32LE(8), payload: read(h.readUInt32LE(0)) }; };
    const takeJob = () => { for (;;) { const f = take(); if (f.kind === 3) return f;
      if (f.kind === 1) send(2, f.detail, f.turn); } };
    const frame = (kind, detail, turn, payload = '') => { const p = Buffer.from(payload);
      const h = Buffer.alloc(12); h.writeUInt32LE(p.length, 0); h[4] = kind; h[5] = detail;
      h.writeUInt32LE(turn, 8); return Buffer.concat([h, p]); };
    const raw = (b) => { for (let at = 0; at < b.length; ) at += writeSync(3, b, at); };
    const send = (...args) => raw(frame(...args));
    ${body}`);
}

export const READY = 'send(1, 1, 0);';

export interface PoolOptions extends LaunchOptions {
  readonly size?: number;
  readonly ahead?: number;
  /** Is told of the id of each process that is started. */
  readonly onStart?: (pid: number) => void;
}

/** A pool of hosts that run `script`, started by the launcher of the executors' own. */
export async function poolOf(
  script: Uint8Array,
  { size = 1, ahead = 0, onStart, ...launch }: PoolOptions = {},
): Promise<HostPool<string>> {
  const plan = await planLaunch(launch);
  return createHostPool<string>(
    () => {
      const host = startHost<string>(plan, script);
      if (host.pid !== undefined) onStart?.(host.pid);
      return host;
    },
    size,
    ahead,
  );
}

/** A job in text, of a program in text. */
export function jobOf(text: string, program = 'p'): HostJob<string> {
  return {
    programId: program,
    program: () => new TextEncoder().encode(program),
    job: new TextEncoder().encode(text),
    answerBytes: 10_000,
    read: (answer) => new TextDecoder().decode(answer),
  };
}

/** Executes a job with plenty of time. */
export function ask(pool: HostPool<string>, text: string, program?: string) {
  return pool.execute(jobOf(text, program), { timeoutMs: 60_000 });
}

/** The answer of a job that is expected to have one. */
export function answerOf(end: HostEnd<string>): string {
  if (end.kind !== 'answer') throw new Error(`no answer: ${JSON.stringify(end)}`);
  return end.answer;
}

/** Whether a process is there (a zombie is not). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
