import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serializeTrustStore } from '../../engine/gate/trust-store.ts';
import { certificateFor, environment } from '../support/gate.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command line under test: that of this checkout, or another build of it. */
export const CLI = resolve(process.env.TOUCHSTONE_CLI ?? join(ROOT, 'dist', 'cli.js'));

/** Longer than any command here takes; one that reaches it hangs. */
const TIMEOUT_MS = 30_000;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Uint8Array;
  /** Sends SIGINT, as Ctrl-C does, once something is on stderr. */
  readonly interrupt?: true;
  /** A program and arguments that the command line is handed to, as `setpriv` takes it. */
  readonly via?: readonly string[];
}

export interface Workspace {
  readonly folder: string;
  /** Runs the command line in the workspace. */
  run(...args: readonly string[]): Promise<Result>;
  runWith(options: RunOptions, ...args: readonly string[]): Promise<Result>;
  path(...steps: readonly string[]): string;
  /** Writes a file, with the folders above it; an object as JSON. Gives its path as it was named. */
  write(path: string, contents: string | Uint8Array | object): string;
  read(path: string): Buffer;
  /** Copies a project of `examples/` here, without certificates; gives its path: `call`. */
  example(name: string): string;
  /** The same, with a certificate by a certifier whom the workspace trusts. */
  certified(name: string): Promise<string>;
  /** Certifies a module that is here already, and trusts its certifier. */
  certify(artifact: string): Promise<string>;
}

/** A folder of its own with a `.touchstone`, gone when the test ends. */
export function workspace(t: TestContext): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, '.touchstone'));
  const path = (...steps: readonly string[]) => resolve(folder, ...steps);
  const here: Workspace = {
    folder,
    path,
    run: (...args) => touchstone(folder, {}, args),
    runWith: (options, ...args) => touchstone(folder, options, args),
    read: (name) => readFileSync(path(name)),
    write: (name, contents) => {
      mkdirSync(dirname(path(name)), { recursive: true });
      const isRaw = typeof contents === 'string' || contents instanceof Uint8Array;
      writeFileSync(path(name), isRaw ? contents : JSON.stringify(contents));
      return name;
    },
    example: (name) => {
      for (const part of ['executor.json', 'cases', `build/${artifactName(name)}`]) {
        const from = join(ROOT, 'examples', name, part);
        if (existsSync(from)) cpSync(from, path(name, part), { recursive: true });
      }
      return name;
    },
    certified: async (name) => {
      await here.certify(`${here.example(name)}/build/${artifactName(name)}`);
      return name;
    },
    certify: async (artifact) => {
      here.write('.touchstone/trust.json', serializeTrustStore(environment().trust));
      here.write(`${artifact}.purity.json`, await certificateFor(here.read(artifact)));
      return artifact;
    },
  };
  return here;
}

/** An Ed25519 key pair in PEM, of whoever needs one. */
export const KEYS = (() => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    public: publicKey.export({ type: 'spki', format: 'pem' }),
  };
})();

/** The bytes of an example's module. */
export function exampleModule(name: string): Uint8Array {
  return readFileSync(join(ROOT, 'examples', name, 'build', artifactName(name)));
}

function artifactName(example: string): string {
  return `${example.split('/').at(-1)}.wasm`;
}

function touchstone(
  folder: string,
  { env = {}, input, interrupt, via = [] }: RunOptions,
  args: readonly string[],
): Promise<Result> {
  const [program = '', ...rest] = [...via, process.execPath, CLI, ...args];
  return new Promise((done, failed) => {
    const child = spawn(program, rest, {
      cwd: folder,
      env: environmentOf(folder, env),
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (piece) => stdout.push(piece));
    child.stderr.on('data', (piece) => stderr.push(piece));
    if (interrupt) child.stderr.once('data', () => child.kill('SIGINT'));
    child.on('error', failed);
    child.on('close', (code) =>
      done({
        code,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    child.stdin.on('error', () => {}); // a command that reads no input closes it early
    child.stdin.end(input);
  });
}

function environmentOf(folder: string, changes: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    NO_COLOR: '1',
    ...changes,
  };
}

/** Asserts the exit code, showing what was said where it is another. */
export function assertExit(result: Result, code: 0 | 1 | 2): void {
  assert.equal(result.code, code, `exit code ${result.code}\n${result.stdout}${result.stderr}`);
  assert.doesNotMatch(result.stdout + result.stderr, /^\s+at .+:\d+:\d+/m, 'a stack trace');
  assert.doesNotMatch(result.stderr, /internal error/);
}

/** Asserts what every bad input gets: exit code 2, one line on stderr, nothing on stdout. */
export function assertBadInput(result: Result, problem: RegExp): void {
  assertExit(result, 2);
  assert.equal(result.stdout, '');
  assertOneLine(result, problem);
}

/** Asserts that stderr is one line which says what is wrong. */
export function assertOneLine({ stderr }: Result, problem: RegExp): void {
  assert.match(stderr, /^touchstone: [^\n\r]+\n$/);
  assert.match(stderr, problem);
}

/** Asserts a good answer with nothing on stderr, and gives it. */
export function answerOf(result: Result, code: 0 | 1 = 0): string {
  assertExit(result, code);
  assert.equal(result.stderr, '');
  return result.stdout;
}
