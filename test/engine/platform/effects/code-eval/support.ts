import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Sha256 } from '../../../../../engine/crypto/crypto.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../../../../../engine/encoding/json.ts';
import type { EffectHandler, EffectOutcome } from '../../../../../engine/governance/effect.ts';
import { execGrant } from '../../../../../engine/governance/grants/exec.ts';
import type { EvaluatorOptions } from '../../../../../engine/platform/node/effects/code-eval/evaluator.ts';
import {
  type CodeEvalGrant,
  createCodeEvalHandler,
} from '../../../../../engine/platform/node/effects/code-eval/handler.ts';
import type { Directive } from '../../../../../engine/runtime/types.ts';

const SOURCE = '../../../../../engine/platform/node/effects/code-eval/host-main.ts';

/** The module of QuickJS where it is installed. */
export const QUICKJS = new URL(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'));

/** The script of the process, bundled as the build does it. */
export const evalHost = await bundleEvalHost();

async function bundleEvalHost(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(SOURCE, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    // The loader of QuickJS that is made for Node reaches for files; this one is handed what it needs.
    conditions: ['browser'],
    logLevel: 'error',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('the bundle is empty');
  return file.text;
}

const folder = await mkdtemp(join(tmpdir(), 'eval-host-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

let scripts = 0;

/** Writes the script of a process where an evaluator can read it. */
export async function writeScript(text: string | Uint8Array): Promise<URL> {
  const file = join(folder, `${scripts++}.mjs`);
  await writeFile(file, text);
  return pathToFileURL(file);
}

const script = await writeScript(evalHost);

/** A handler with the default grant but for what is given; closed when the tests of the file are done. */
export function createHandler(
  grant: Partial<CodeEvalGrant> = {},
  options: Partial<EvaluatorOptions> = {},
): EffectHandler {
  const handler = createCodeEvalHandler(
    { ...execGrant.parse({}), ...grant },
    { script, quickjs: QUICKJS, ...options },
  );
  after(() => handler.close?.());
  return handler;
}

export function directiveOf(code: string, bindings?: JsonObject): Directive {
  return { type: 'code_eval', language: 'javascript', code, ...(bindings && { bindings }) };
}

/** Performs a directive, as the interpreter does. */
export function perform(
  handler: EffectHandler,
  directive: Directive,
  signal = new AbortController().signal,
): Promise<EffectOutcome> {
  return handler.perform({
    directive,
    effectId: '6ba7b810-9dad-51d1-80b4-00c04fd430c8',
    allowance: {},
    signal,
    caller: { executor: 'code@1.0.0', artifactHash: '0'.repeat(64) as Sha256, depth: 0 },
    emit: () => {},
  });
}

export function evaluate(handler: EffectHandler, code: string, bindings?: JsonObject) {
  return perform(handler, directiveOf(code, bindings));
}

/** The value that code has. */
export async function valueFrom(handler: EffectHandler, code: string, bindings?: JsonObject) {
  return resultOf(await evaluate(handler, code, bindings)).value;
}

/** The fuel that code uses. */
export async function fuelFrom(handler: EffectHandler, code: string, bindings?: JsonObject) {
  return resultOf(await evaluate(handler, code, bindings)).fuel;
}

/** The code of the failure that code ends in, with what is told of it. */
export async function failureFrom(handler: EffectHandler, code: string, bindings?: JsonObject) {
  const outcome = await evaluate(handler, code, bindings);
  if (outcome.kind !== 'failed') throw new Error(`no failure: ${JSON.stringify(outcome)}`);
  return outcome;
}

function resultOf(outcome: EffectOutcome): { value: JsonValue; fuel: number } {
  if (outcome.kind === 'performed' && isJsonObject(outcome.result)) {
    const { value, fuel } = outcome.result;
    if (value !== undefined && typeof fuel === 'number') return { value, fuel };
  }
  throw new Error(`no value: ${JSON.stringify(outcome)}`);
}
