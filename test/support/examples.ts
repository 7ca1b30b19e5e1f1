import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AdmittedExecutor } from '../../engine/gate/admit.ts';
import { governedRun, type RunReport } from '../../engine/governed/run.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { projectFiles } from '../../engine/platform/node/project-files.ts';
import { type ExecutorCase, parseCase } from '../../engine/project/case.ts';
import { type Manifest, parseManifest } from '../../engine/project/manifest.ts';
import { memoryReceiptStore } from '../../engine/provenance/memory-store.ts';
import type { Isolation } from '../../engine/runtime/isolation.ts';
import { stranger } from './gate.ts';

export const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

/** One project of `examples/`. */
export interface Example {
  /** Its folder below `examples/`, with forward slashes: `call`, `impure/println`. */
  readonly name: string;
  readonly manifest: Manifest;
  /** The committed artifact. */
  readonly bytes: Uint8Array;
  /** Sorted by name. */
  readonly cases: readonly { readonly name: string; readonly content: ExecutorCase }[];
}

/** Every folder of `examples/` that holds an `executor.json`, sorted by name. */
export async function readExamples(): Promise<readonly Example[]> {
  const manifests = findManifests(EXAMPLES).sort();
  return Promise.all(manifests.map(readExample));
}

/** Those that are pure, and those of `examples/impure/`. */
export function byPurity(examples: readonly Example[]): {
  readonly pure: readonly Example[];
  readonly impure: readonly Example[];
} {
  const isImpure = ({ name }: Example) => name.startsWith('impure/');
  return {
    pure: examples.filter((example) => !isImpure(example)),
    impure: examples.filter(isImpure),
  };
}

function findManifests(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'target' ? [] : findManifests(path);
    return entry.name === 'executor.json' ? [path] : [];
  });
}

async function readExample(path: string): Promise<Example> {
  const folder = join(path, '..');
  const name = relative(EXAMPLES, folder).split(sep).join('/');
  const manifest = parseManifest(readFileSync(path), `examples/${name}/executor.json`);
  const files = await projectFiles(folder, manifest.cases);
  return {
    name,
    manifest,
    bytes: new Uint8Array(readFileSync(join(folder, manifest.artifact))),
    cases: files.map((file) => ({
      name: basename(file.path, '.json'),
      content: parseCase(readFileSync(join(folder, file.path)), `${name}/${file.path}`),
    })),
  };
}

/** Runs a case of an example in a chain of its own, whose receipt the test's stranger signs. */
export function runCase(
  { manifest }: Example,
  executor: AdmittedExecutor,
  { input }: ExecutorCase,
  isolation: Isolation,
): Promise<RunReport> {
  const { name, version, entry, limits, memoryProfile, budget, trust, capabilities } = manifest;
  return governedRun(
    {
      crypto: nodeCrypto,
      isolation,
      receipts: memoryReceiptStore(),
      environment: stranger,
      now: () => performance.now(),
    },
    {
      executor,
      name,
      version,
      entry,
      limits,
      memoryProfile,
      budget,
      input,
      policy: { trust, declared: capabilities, grants: new Set() },
    },
  );
}
