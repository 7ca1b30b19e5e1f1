import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { encodeBase64 } from '../../../../encoding/base64.ts';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import type { JsonValue } from '../../../../encoding/json.ts';
import { tryDecodeUtf8 } from '../../../../encoding/utf8.ts';
import {
  type Allowance,
  type EffectHandler,
  type EffectOutcome,
  type Failed,
  failed,
  performed,
  type Refusal,
  refused,
} from '../../../../governance/effect.ts';
import type { CommandEntry, ExecGrant } from '../../../../governance/grants/exec.ts';
import type { Secrets } from '../../../../governance/secret.ts';
import type { Directive } from '../../../../runtime/types.ts';
import { describeProgram, startProblem } from './program-file.ts';
import { type ProgramEnd, type ProgramLimits, runProgram } from './program-run.ts';

export interface CommandHandlerOptions {
  /** Where the values of secrets in the environment of commands are kept. */
  readonly secrets: Secrets;
  /** The folder that the folders of the grant are relative to: that of the policy. */
  readonly base: string;
}

/** The most arguments that a directive may give. */
const MAX_ARGS = 1_000;

/** The most UTF-16 units that they may have together. */
const MAX_ARGS_LENGTH = 131_072;

/**
 * Performs `exec_command`: runs a program that the grant names, by its name there or its absolute path,
 * without a shell, with the arguments and the environment of the grant, then the directive's arguments,
 * which reach it as they are. What they may make it do is for whoever grants it to know. That commands
 * run at trust level `system` alone is held before, in the stage `trust`.
 *
 * Answers `{ "exitCode", "signal"?, "stdout", "stderr" }`: the code is null where a signal ended the
 * program, the outputs are texts, or `{ "base64": … }` where they are not UTF-8. An exit code other than
 * 0 is a result like any other.
 *
 * Fails with `command-missing`, `command-not-executable`, `folder-missing`, `secret-missing`,
 * `secret-unreadable`, `args-too-large`, `start-failed`, `too-large`, `bytes-exhausted`, `timeout` or
 * `cancelled`; with the first seven nothing was run.
 *
 * @throws {InputError} `invalid-policy` for a grant that names a program by a relative path, or, on
 * Windows, a batch file, which would be run by a shell.
 */
export function createCommandHandler(
  grant: ExecGrant,
  { secrets, base }: CommandHandlerOptions,
): EffectHandler {
  for (const { path } of grant.commands) expectProgram(path);
  const folders = temporaryFolders();
  return {
    tags: ['exec_command'],
    capability: 'compute.exec',
    judge: (directive) => {
      const order = readOrder(directive, grant);
      return 'code' in order ? order : undefined;
    },
    perform: async ({ directive, allowance, signal }) => {
      const order = readOrder(directive, grant);
      if ('code' in order) return refused(order.code, order.message);
      const { command, args } = order;
      const where = `the command "${displayText(command.name)}"`;
      const env = await environmentOf(command, secrets, where);
      if ('kind' in env) return env;
      const problem = await describeProgram(command.path);
      if (problem !== undefined) return failed(problem[0], `${where}: ${problem[1]}`);
      const own = command.cwd === undefined ? await folders.make() : undefined;
      const cwd = command.cwd === undefined ? own : resolve(base, command.cwd);
      try {
        if (cwd === undefined || !(await isFolder(cwd))) {
          return failed('folder-missing', `${where}: the folder that it runs in is not there`);
        }
        if (signal.aborted) return failed('cancelled', `${where}: cancelled before it began`);
        const limits = limitsOf(grant, allowance);
        const plan = { path: command.path, args: [...command.args, ...args], env: env.values, cwd };
        return toOutcome(await runProgram(plan, limits, signal), where, limits);
      } finally {
        if (own !== undefined) folders.remove(own);
      }
    },
    close: () => folders.removed(),
  };
}

/** @throws {InputError} `invalid-policy`. */
function expectProgram(path: string): void {
  const shown = displayText(path, 500);
  if (path.includes('\0') || !isAbsolute(path)) {
    throw new InputError(
      'invalid-policy',
      `"commands": ${shown}: a program is named by its absolute path`,
    );
  }
  if (process.platform === 'win32' && /\.(?:bat|cmd)[. ]*$/i.test(path)) {
    throw new InputError(
      'invalid-policy',
      `"commands": ${shown}: a batch file is run by a shell; name a program instead`,
    );
  }
}

/** A directive that was read and is covered by the grant. */
interface Order {
  readonly command: CommandEntry;
  readonly args: readonly string[];
}

function readOrder(directive: Directive, grant: ExecGrant): Order | Refusal {
  const command = findCommand(directive.command, grant);
  if ('code' in command) return command;
  const args = readArgs(directive.args);
  return 'code' in args ? args : { command, args: args.texts };
}

function findCommand(name: JsonValue | undefined, grant: ExecGrant): CommandEntry | Refusal {
  if (typeof name !== 'string') return { code: 'command-refused', message: '"command" is no text' };
  const named = grant.commands.find((command) => command.name === name);
  const [first, second] = grant.commands.filter(({ path }) => path === name);
  if (named !== undefined) return named;
  if (first === undefined) {
    return {
      code: 'command-not-granted',
      message: `the command "${displayText(name)}" is not granted`,
    };
  }
  if (second === undefined) return first;
  return {
    code: 'command-not-granted',
    message: `the program "${displayText(name)}" is granted under several names; use one of them`,
  };
}

function readArgs(args: JsonValue | undefined): { readonly texts: readonly string[] } | Refusal {
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === 'string')) {
    return { code: 'args-refused', message: '"args" is no list of texts' };
  }
  const length = args.reduce((sum, arg) => sum + arg.length, 0);
  if (args.length > MAX_ARGS || length > MAX_ARGS_LENGTH) {
    return {
      code: 'args-too-large',
      message: `"args" holds ${args.length} texts with ${length} characters; at most ${MAX_ARGS} with ${MAX_ARGS_LENGTH} are passed on`,
    };
  }
  if (args.some((arg) => arg.includes('\0') || !arg.isWellFormed())) {
    return { code: 'args-refused', message: '"args" holds a NUL character or a lone surrogate' };
  }
  return { texts: args };
}

async function environmentOf(
  command: CommandEntry,
  secrets: Secrets,
  where: string,
): Promise<{ readonly values: Readonly<Record<string, string>> } | Failed> {
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(command.env)) {
    if (typeof value === 'string') {
      values[name] = value;
      continue;
    }
    try {
      const secret = await secrets.get(value.secret);
      if (secret === undefined) {
        return failed('secret-missing', `${where}: there is no secret "${value.secret}"`);
      }
      values[name] = secret;
    } catch {
      // What the error says names places on this machine, which are not the executor's to know.
      return failed('secret-unreadable', `${where}: the secret "${value.secret}" cannot be read`);
    }
  }
  return { values };
}

interface Limits extends ProgramLimits {
  /** The code of the failure where a program prints more than `outputBytes`. */
  readonly code: string;
}

function limitsOf({ outputBytes, timeoutMs }: ExecGrant, { bytes }: Allowance): Limits {
  return bytes !== undefined && bytes < outputBytes
    ? { outputBytes: bytes, timeoutMs, code: 'bytes-exhausted' }
    : { outputBytes, timeoutMs, code: 'too-large' };
}

function toOutcome(end: ProgramEnd, where: string, limits: Limits): EffectOutcome {
  switch (end.kind) {
    case 'not-started': {
      const [code, message] = startProblem(end.errno);
      return failed(code, `${where}: ${message}`);
    }
    case 'cancelled':
      return failed('cancelled', `${where}: it was cancelled`, { bytes: end.bytes });
    case 'timeout': {
      const message = `${where}: it took longer than ${limits.timeoutMs} ms`;
      return failed('timeout', message, { bytes: end.bytes });
    }
    case 'too-large': {
      const message = `${where}: it printed more than ${limits.outputBytes} bytes`;
      return failed(limits.code, message, { bytes: end.bytes });
    }
    case 'exited': {
      const { exitCode, signal, stdout, stderr } = end;
      const result = {
        exitCode,
        ...(signal !== null && { signal }),
        stdout: textOf(stdout),
        stderr: textOf(stderr),
      };
      return performed(result, { bytes: stdout.length + stderr.length });
    }
  }
}

function textOf(bytes: Uint8Array): JsonValue {
  return tryDecodeUtf8(bytes) ?? { base64: encodeBase64(bytes) };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Empty folders for commands to run in, which are removed without anybody waiting for it. */
function temporaryFolders() {
  const removals = new Set<Promise<void>>();
  return {
    make: () => mkdtemp(join(tmpdir(), 'touchstone-command-')).catch(() => undefined),
    remove: (path: string) => {
      const removal = rm(path, { recursive: true, force: true })
        .catch(() => {}) // what cannot be removed is left to the system
        .then(() => {
          removals.delete(removal);
        });
      removals.add(removal);
    },
    removed: async () => {
      await Promise.all(removals);
    },
  };
}
