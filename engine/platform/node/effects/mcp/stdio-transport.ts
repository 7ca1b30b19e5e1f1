import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { parse } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ReadBuffer, serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isJSONRPCRequest, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { coverInherited } from '../../process-descriptors.ts';
import { signalGroup } from '../command/group-kill.ts';
import { McpFailure } from './mcp-failure.ts';
import { endGroupWithParent } from './process-group.ts';

export interface StdioServer {
  /** By absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Bytes that may come from the server for one request, its answer and all that is beside it. */
  readonly maxBytes: number;
  /** Told of bytes that go out and come in. */
  readonly onBytes: (count: number) => void;
}

/** How long a server that was told to end may take for it, in milliseconds, before it is made to. */
const GRACE = 1_000;

/** Bytes that may wait for a server that does not read. */
const MAX_WAITING = 16_777_216;

/** Characters at which some readers of lines end one, though JSON lets them stand in a text. */
const OTHER_LINE_ENDS = /[\u0085\u2028\u2029]/g;

/** A process and its two ends. */
interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
}

/**
 * Speaks MCP with a process over its standard streams. Unlike the SDK's own transport, which hands a
 * part of this process's environment on and cannot end what the server started, it gives the server
 * exactly what is named, in a process group of its own, and ends the group with the server. Anything
 * that the server writes that is no message of JSON-RPC ends it.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;

  readonly #server: StdioServer;
  readonly #buffer: ReadBuffer;
  #received = 0;
  #running: Running | undefined;
  #gone: Promise<void> = Promise.resolve();

  constructor(server: StdioServer) {
    this.#server = server;
    this.#buffer = new ReadBuffer({ maxBufferSize: server.maxBytes });
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = launch(this.#server);
      const { pid, stdin, stdout } = child;
      child.once('error', (error) => reject(notStarted(error)));
      if (pid === undefined || stdin === null || stdout === null) return;
      child.once('spawn', () => {
        this.#running = { child, pid, stdin, stdout };
        this.#gone = this.#follow(this.#running);
        resolve();
      });
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#running?.stdin;
    if (stdin === undefined) throw new McpFailure('server-lost', 'the server is not running');
    if (isJSONRPCRequest(message)) this.#received = 0;
    const line = serializeMessage(message).replace(OTHER_LINE_ENDS, escaped);
    if (stdin.writableLength > MAX_WAITING) {
      this.#fail('flooded', 'the server does not read what is sent to it');
      return;
    }
    this.#server.onBytes(Buffer.byteLength(line));
    stdin.write(line);
  }

  /** Ends the server: it sees the end of its input, is asked to end, and is made to. */
  async close(): Promise<void> {
    if (this.#running === undefined) return;
    const { pid, stdin } = this.#running;
    stdin.end();
    if (await this.#isGoneWithin(GRACE)) return;
    signalGroup(pid, 'SIGTERM');
    if (await this.#isGoneWithin(GRACE)) return;
    await this.kill();
  }

  /** Makes the server end, in the midst of whatever it does. */
  async kill(): Promise<void> {
    if (this.#running === undefined) return;
    this.#running.stdout.destroy();
    signalGroup(this.#running.pid, 'SIGKILL');
    await this.#gone;
  }

  #follow({ child, pid, stdin, stdout }: Running): Promise<void> {
    stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    stdout.once('end', () => {
      // As a rule the server is gone, which is told in a moment. One without an output is of no use.
      const end = () => this.#fail('server-lost', 'the server closed its output');
      setTimeout(end, GRACE).unref();
    });
    // Why a stream broke is told by the end of the process.
    for (const stream of [stdin, stdout]) stream.on('error', () => undefined);
    const release = endGroupWithParent(pid);
    return new Promise((resolve) => {
      child.once('exit', () => {
        release();
        // Whatever the server started ends with it.
        signalGroup(pid, 'SIGKILL');
        // A process that left the group may hold the stream open for ever.
        setTimeout(() => stdout.destroy(), GRACE).unref();
      });
      child.once('close', () => {
        this.#running = undefined;
        this.#buffer.clear();
        this.onclose?.();
        resolve();
      });
    });
  }

  #read(chunk: Buffer): void {
    if (this.#running === undefined) return;
    this.#server.onBytes(chunk.length);
    this.#received += chunk.length;
    if (this.#received > this.#server.maxBytes) {
      this.#fail(
        'too-large',
        `the server wrote more than ${this.#server.maxBytes} bytes for one call`,
      );
      return;
    }
    try {
      this.#buffer.append(chunk);
      for (;;) {
        const message = this.#buffer.readMessage();
        if (message === null) return;
        this.onmessage?.(message);
      }
    } catch {
      this.#fail('malformed-answer', 'the server wrote what is no message of JSON-RPC');
    }
  }

  /** Says why, and ends the server at once. */
  #fail(code: McpFailure['code'], message: string): void {
    if (this.#running === undefined) return;
    this.onerror?.(new McpFailure(code, message));
    void this.kill();
  }

  #isGoneWithin(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#gone.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function launch({ command, args, env }: StdioServer): ChildProcess {
  const nothing = openSync(devNull, 'r');
  try {
    return spawn(command, args, {
      env,
      cwd: parse(process.execPath).root,
      // Its own group, so that all of it can be ended; and no terminal.
      detached: process.platform !== 'win32',
      windowsHide: true,
      shell: false,
      stdio: ['pipe', 'pipe', 'ignore', nothing, ...coverInherited()],
    });
  } catch (error) {
    throw notStarted(error);
  } finally {
    closeSync(nothing);
  }
}

/** By its code alone: the system's message may hold an argument or the environment. */
function notStarted(error: unknown): McpFailure {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new McpFailure('server-failed', `the program did not start${code}`);
}
