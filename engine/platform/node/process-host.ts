import {
  encodeFrame,
  type Frame,
  FrameReader,
  HEADER_BYTES,
  TO_HOST,
  TO_PARENT,
  writeHeader,
} from './process-frames.ts';
import type { LaunchPlan } from './process-launch.ts';
import type { ProcessLayers } from './process-layers.ts';
import { HeldPrograms } from './process-programs.ts';
import { spawnHost } from './process-spawn.ts';
import { succeeds } from './process-tools.ts';

/** One job, as a host takes it: bytes, which only its two ends understand. */
export interface HostJob<Answer> {
  /** Names the program; equal ids are equal programs. */
  readonly programId: string;
  /** The encoded program: asked for where the host does not hold it. */
  readonly program: () => Uint8Array;
  readonly job: Uint8Array;
  /** The most bytes that an answer can have; a host that sends more is ended. */
  readonly answerBytes: number;
  /** Reads an answer, of which nothing is believed; `undefined` for one that makes no sense. */
  readonly read: (answer: Uint8Array<ArrayBuffer>) => Answer | undefined;
}

export interface HostJobOptions {
  /** Wall clock, in milliseconds, from the moment the host has the program and the job. */
  readonly timeoutMs: number;
}

/** How a job on a host ended. A host can go on after an answer only. */
export type HostEnd<Answer> = { readonly kind: 'answer'; readonly answer: Answer } | Failure;

/** How a job ended that was not answered; `progress` is how far the host said it had come. */
type Failure =
  /** The process was lost with the job before it: nothing of this one ran. */
  | { readonly kind: 'behind'; readonly progress: number }
  /** The process was gone before it had the job: nothing of it ran. */
  | { readonly kind: 'refused'; readonly progress: number }
  | { readonly kind: 'lost'; readonly reason: string; readonly progress: number }
  | { readonly kind: 'timeout'; readonly progress: number }
  | { readonly kind: 'cancelled'; readonly progress: number };

/** A process that executes jobs, one after the other. */
export interface ProcessHost<Answer> {
  /** The process id, for tests and messages. */
  readonly pid: number | undefined;
  /** The layers that hold it. */
  readonly layers: ProcessLayers;
  /** Whether it came up, held by every layer. */
  readonly isReady: boolean;
  /** Whether it ever was ready. */
  readonly wasReady: boolean;
  /** Why it can take no job any more; nothing while it can. */
  readonly lost: string | undefined;
  /** Resolves when the host is ready or lost. */
  readonly started: Promise<void>;
  /**
   * Executes a job on a host that is ready, after those that it has. While it has any, it keeps its
   * parent alive. The end is told once. When a host is lost, those behind the first are told first, from
   * the last to the second.
   */
  execute(
    job: HostJob<Answer>,
    options: HostJobOptions,
    onEnd: (end: HostEnd<Answer>) => void,
  ): void;
  /** Ends the process, whatever it does; a job that it has ends as cancelled. */
  end(): Promise<void>;
  /** Whether it keeps its parent alive. */
  hold(isHeld: boolean): void;
}

/**
 * For so long after it sent a job, in milliseconds, a parent that stays awake does not let its event loop
 * sleep: most jobs are answered by then, and to be woken takes as long as a small one.
 */
const AWAKE = 0.4;

/** How long a host may take to come up, and to compile a program, in milliseconds. */
const START_PATIENCE = 20_000;
const LOAD_PATIENCE = 60_000;

interface Turn<Answer> {
  readonly number: number;
  readonly job: HostJob<Answer>;
  readonly timeoutMs: number;
  readonly onEnd: (end: HostEnd<Answer>) => void;
  progress: number;
  /** The slot whose program the host must say it has loaded, before its clock starts. */
  awaited: number | undefined;
}

/**
 * Starts a host as planned.
 * @param staysAwake whether a processor is left for the parent to wait on while the host runs a job.
 */
export function startHost<Answer>(
  plan: LaunchPlan,
  script: Uint8Array,
  staysAwake = false,
): ProcessHost<Answer> {
  const programs = new HeldPrograms();
  let state: 'starting' | 'restricting' | 'ready' = 'starting';
  let lost: string | undefined;
  /** The job that the host executes, and those that it was sent ahead. */
  let queue: readonly Turn<Answer>[] = [];
  let turns = 0;
  let clock: NodeJS.Timeout | undefined;
  let announce: () => void;
  const started = new Promise<void>((resolve) => {
    announce = resolve;
  });

  /** Ends the process, which cannot be used any more, and with it the jobs that it has. */
  const lose = (reason: string, end: 'lost' | 'refused' | 'timeout' | 'cancelled' = 'lost') => {
    if (lost !== undefined) return;
    lost = reason;
    spawned.kill();
    clearTimeout(clock);
    spawned.hold(false);
    const [first, ...behind] = queue;
    queue = [];
    for (const { onEnd } of behind.reverse()) onEnd({ kind: 'behind', progress: 0 });
    if (first !== undefined) {
      const { progress, onEnd } = first;
      onEnd(end === 'lost' ? { kind: end, reason, progress } : { kind: end, progress });
    }
    announce();
  };

  /** Starts the clock of the job that is first now, or of its program; lets go where there is none. */
  const startClock = () => {
    const [turn] = queue;
    clearTimeout(clock);
    if (turn === undefined) spawned.hold(false);
    else if (turn.awaited === undefined) {
      clock = setTimeout(() => lose('its job took too long', 'timeout'), turn.timeoutMs);
    } else clock = setTimeout(() => lose('it did not compile its program in time'), LOAD_PATIENCE);
  };

  const stayAwake = () => {
    const end = performance.now() + AWAKE;
    const look = () => {
      if (queue.length > 0 && performance.now() < end) setImmediate(look);
    };
    setImmediate(look);
  };

  const comeUp = async (permission: number) => {
    state = 'restricting';
    if (plan.layers.permissionModel && permission !== 1) {
      return lose('Node started it without the permission model that it was asked for');
    }
    if (plan.restrict !== undefined) {
      const done = await succeeds([...plan.restrict.command, String(spawned.pid)]);
      if (done === undefined) return lose('its limits could not be set');
    }
    if (lost !== undefined) return;
    clearTimeout(clock);
    state = 'ready';
    announce();
  };

  /** Takes a frame in its turn. @returns what is wrong with it. */
  const take = ({ kind, detail, turn: number, payload }: Frame): string | undefined => {
    if (kind === TO_PARENT.ready && state === 'starting') {
      void comeUp(detail);
      return undefined;
    }
    const [turn] = queue;
    if (turn === undefined) return OUT_OF_TURN;
    if (kind === TO_PARENT.loaded && turn.awaited === detail) {
      turn.awaited = undefined;
      startClock();
      return undefined;
    }
    if (turn.number !== number || turn.awaited !== undefined) return OUT_OF_TURN;
    if (kind === TO_PARENT.progress && detail > turn.progress) {
      turn.progress = detail;
      return undefined;
    }
    if (kind !== TO_PARENT.answer) return OUT_OF_TURN;
    const answer = turn.job.read(new Uint8Array(payload));
    if (answer === undefined) return 'it answered something that makes no sense';
    queue = queue.slice(1);
    startClock();
    turn.onEnd({ kind: 'answer', answer });
    return undefined;
  };

  const reader = new FrameReader(({ kind }) =>
    kind === TO_PARENT.answer ? (queue[0]?.job.answerBytes ?? 0) : 0,
  );

  const onBytes = (bytes: Uint8Array) => {
    if (lost !== undefined) return;
    const problem = reader.push(bytes, (frame) => {
      const wrong = take(frame);
      if (wrong !== undefined) lose(wrong);
      return wrong === undefined;
    });
    if (problem !== undefined) lose(problem);
  };
  const onRefusal = () => {
    // With another job behind it, what the process did not have may be that one; its end says why.
    if (queue.length > 1) spawned.kill();
    else lose('it was gone', 'refused');
  };
  const spawned = spawnHost(plan, script, { onBytes, onRefusal });
  clock = setTimeout(() => lose('it did not come up in time'), START_PATIENCE);
  clock.unref();
  void spawned.gone.then((reason) => lose(reason));

  return {
    pid: spawned.pid,
    layers: { ...plan.layers, ...plan.restrict?.layers },
    get isReady() {
      return state === 'ready' && lost === undefined;
    },
    get wasReady() {
      return state === 'ready';
    },
    get lost() {
      return lost;
    },
    started,
    execute: (job, { timeoutMs }, onEnd) => {
      const { programId } = job;
      const program = programs.has(programId) ? undefined : job.program();
      const { slot, forgotten } = programs.place(programId, program?.length ?? 0);
      turns = (turns + 1) >>> 0;
      const awaited = program === undefined ? undefined : slot;
      queue = [...queue, { number: turns, job, timeoutMs, onEnd, progress: 0, awaited }];
      spawned.hold(true);
      if (queue.length === 1) startClock();
      spawned.write([
        ...forgotten.map((each) =>
          encodeFrame({ kind: TO_HOST.forget, detail: each, turn: turns }),
        ),
        ...programFrames(program, slot, turns),
        encodeFrame({ kind: TO_HOST.job, detail: slot, turn: turns }, job.job),
      ]);
      if (staysAwake) stayAwake();
    },
    end: async () => {
      lose('it was ended', 'cancelled');
      spawned.hold(true);
      await spawned.gone;
    },
    hold: spawned.hold,
  };
}

const OUT_OF_TURN = 'it sent a frame that is not due';

/** A program is large: it is not copied for its header. */
function programFrames(
  program: Uint8Array | undefined,
  slot: number,
  turn: number,
): readonly Uint8Array[] {
  if (program === undefined) return [];
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, { kind: TO_HOST.program, detail: slot, turn }, program.length);
  return [header, program];
}
