import { inspectModule } from '../../../engine/module/report.ts';
import type { ModuleReport } from '../../../engine/module/types.ts';
import { assembleWat } from '../../../engine/module/wat.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';

/** Inspects a module given in the text format. */
export async function inspectWat(text: string): Promise<ModuleReport> {
  return inspect(await assembleWat(text, 'test.wat'));
}

export function inspect(bytes: Uint8Array): ModuleReport {
  return inspectModule(nodeCrypto, bytes);
}

/** An unsigned LEB128 number, padded to `width` bytes if that is given. */
export function leb(value: number, width = 0): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest % 128);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || bytes.length < width);
  return bytes.map((byte, i) => (i < bytes.length - 1 ? byte + 128 : byte));
}

/** A section of a module: its id, its size, its contents. */
export function section(id: number, contents: readonly number[]): number[] {
  return [id, ...leb(contents.length), ...contents];
}

/** A vector: its count, then its items. */
export function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...leb(bytes.length), ...bytes];
}

/** A function body without locals; the final `end` is added. */
export function body(instructions: readonly number[]): number[] {
  const contents = [0, ...instructions, 0x0b];
  return [...leb(contents.length), ...contents];
}

export function moduleOf(...sections: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}

/** The path to an import as text, `root: a → b → c`, or `undefined`. */
export function pathText(report: ModuleReport, importIndex: number): string | undefined {
  const path = report.callGraph.pathTo(importIndex);
  if (path === undefined) return undefined;
  const { root, frames } = path;
  const from = root.kind === 'export' ? root.name : root.kind;
  return `${from}: ${frames.map(({ name }) => name).join(' → ')}`;
}
