// The language server as an editor meets it: from a keystroke to the diagnostics that it leads to, and
// a large workspace from its opening to its last finding.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createAssembler } from '../engine/module/wat.ts';
import { type Client, startClient } from '../test/server/support/client.ts';
import { printReport } from './report.ts';

const KEYSTROKES = 1_000;
const PROJECTS = 1_000;
/** Of every ten projects; together they come to 100 KB a project. */
const MODULES = [
  'call/build/call',
  'minimal/build/minimal',
  'reason/build/reason',
  'echo/build/echo',
  'code/build/code',
  'impure/println/build/println',
  'call/build/call',
  'route/build/route',
  'reason/build/reason',
  'tally/build/tally',
];

await measureKeystrokes();
await measureWorkspace();

async function measureKeystrokes(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const lines of [500, 10_000]) {
    const text = watOf(lines);
    const alone = await assembling(text);
    const times = await keystrokes(text);
    rows.push([
      text.split('\n').length,
      at(alone, 0.5),
      at(alone, 0.99),
      at(times, 0.5),
      at(times, 0.99),
      (Number(at(times, 0.5)) / Number(at(alone, 0.5))).toFixed(2),
    ]);
  }
  printReport({
    name: 'server: from a keystroke to its diagnostics',
    columns: ['lines', 'assembler ms', 'p99', 'keystroke ms', 'p99', 'keystroke / assembler'],
    rows,
    note: `${KEYSTROKES} single characters typed into WebAssembly text, each of which changes what is found: in the
name of an import, in an instruction that then does not exist, and back again. assembler: wabt alone, warm,
on the same text. Bounds: p99 below 10 ms for 500 lines, below 50 ms for 10,000.`,
  });
}

/** A module of functions as people write them, flat and folded, with an import that is typed at. */
function watOf(lines: number): string {
  const parts = [
    '(module',
    '  (import "mashin" "get_input_len" (func $len (result i32)))',
    '  (import "env" "now" (func $now (result i64)))',
    '  (memory (export "memory") 1 4)',
  ];
  for (let i = 0; parts.length < lines - 2; i += 1) {
    parts.push(
      `  (func $f${i} (param $a i32) (param $b i32) (result i32)`,
      '    (local $c i32)',
      '    local.get $a',
      '    local.get $b',
      '    i32.add',
      '    local.tee $c',
      `    (i32.mul (local.get $c) (i32.const ${i}))`,
      '    i32.xor',
      '  )',
    );
  }
  parts.push('  (func (export "plan") (drop (call $len)) (drop (call $now)))', ')', '');
  return parts.join('\n');
}

async function assembling(text: string): Promise<number[]> {
  const assembler = createAssembler();
  const times: number[] = [];
  for (let i = 0; i < 220; i += 1) {
    const start = performance.now();
    await assembler.assemble(text, 'text');
    if (i >= 20) times.push(performance.now() - start);
  }
  return times;
}

async function keystrokes(text: string): Promise<number[]> {
  const client = await startClient();
  const uri = pathToFileURL(join(tmpdir(), 'typed.wat')).href;
  client.open(uri, 'wat', text);
  await client.until(uri, (found) => found.length > 0);
  const lines = text.split('\n');
  const middle = lines.findIndex((line, i) => i > lines.length / 2 && line.includes('i32.add'));
  const places = [
    { line: 2, character: (lines[2] ?? '').indexOf('now"') + 3 },
    { line: middle, character: (lines[middle] ?? '').length },
  ];
  const times: number[] = [];
  for (let i = 0; i < KEYSTROKES + 100; i += 1) {
    const start = places[Math.floor(i / 2) % places.length] ?? { line: 0, character: 0 };
    const isTyped = i % 2 === 0;
    const end = isTyped ? start : { ...start, character: start.character + 1 };
    const told = nextOf(client, uri);
    const began = performance.now();
    client.change(uri, [{ range: { start, end }, text: isTyped ? 'x' : '' }]);
    await told;
    if (i >= 100) times.push(performance.now() - began);
  }
  await client.stop();
  return times;
}

/** Resolves when the next diagnostics of a document come. */
function nextOf(client: Client, uri: string): Promise<void> {
  const before = client.diagnostics.get(uri);
  return client.until(uri, () => client.diagnostics.get(uri) !== before).then(() => undefined);
}

async function measureWorkspace(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'touchstone-bench-'));
  const workspace = join(root, 'workspace');
  const cacheFolder = join(root, 'cache');
  try {
    const bytes = makeProjects(workspace);
    const rows = [];
    for (const when of ['cold', 'again, from the cache']) {
      const { seconds, resident, peak } = await openWorkspace(workspace, cacheFolder);
      rows.push([when, PROJECTS, (bytes / 1e6).toFixed(1), seconds.toFixed(2), resident, peak]);
    }
    printReport({
      name: 'server: a workspace of executors',
      columns: ['opened', 'projects', 'MB', 'seconds', 'resident MB', 'at most'],
      rows,
      note: `From the start of the process to the last project's diagnostics; resident memory then, and the most there was.
Bounds: 10 s cold, 2 s from the cache, 250 MB.`,
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Projects around the modules of the examples, no two of which are the same; answers their bytes. */
function makeProjects(workspace: string): number {
  const modules = MODULES.map((name) => readFileSync(join('examples', `${name}.wasm`)));
  let total = 0;
  for (let i = 0; i < PROJECTS; i += 1) {
    const module = modules[i % modules.length] ?? Buffer.alloc(0);
    const bytes = Buffer.concat([module, customSection(`bench-${i}`)]);
    const folder = join(workspace, `group-${i % 20}`, `executor-${i}`);
    mkdirSync(join(folder, 'build'), { recursive: true });
    writeFileSync(join(folder, 'build', 'executor.wasm'), bytes);
    const manifest = { name: `executor-${i}`, version: '1.0.0', artifact: 'build/executor.wasm' };
    writeFileSync(join(folder, 'executor.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    total += bytes.length;
  }
  return total;
}

/** A custom section that is its name, of at most 126 bytes, and no more. */
function customSection(name: string): Buffer {
  return Buffer.concat([Buffer.from([0, name.length + 1, name.length]), Buffer.from(name)]);
}

async function openWorkspace(workspace: string, cacheFolder: string) {
  const start = performance.now();
  const client = await startClient({ folders: [workspace], initialization: { cacheFolder } });
  while (manifestsTold(client) < PROJECTS) await new Promise((done) => setTimeout(done, 5));
  const seconds = (performance.now() - start) / 1000;
  const { resident, peak } = memoryOf(client.process.pid ?? 0);
  await client.stop();
  return { seconds, resident, peak };
}

function manifestsTold({ diagnostics }: Client): number {
  let count = 0;
  for (const [uri, { diagnostics: found }] of diagnostics) {
    if (uri.endsWith('/executor.json') && found.length > 0) count += 1;
  }
  return count;
}

/** In megabytes, where the system tells. */
function memoryOf(pid: number): { resident: string; peak: string } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const inMegabytes = (field: string) => ((of(field) * 1024) / 1e6).toFixed(0);
    return { resident: inMegabytes('VmRSS'), peak: inMegabytes('VmHWM') };
  } catch {
    return { resident: 'not told', peak: 'not told' };
  }
}

function at(times: readonly number[], share: number): string {
  const sorted = [...times].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2);
}
