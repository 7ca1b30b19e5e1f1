// The import graph of the engine as esbuild's parser sees it, types included.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Import {
  /** The importing file, relative to the repository, with forward slashes. */
  readonly from: string;
  /** The imported file, written the same way; for a package or a built-in what the import says. */
  readonly to: string;
  /** `dynamic-import`, `require-call` and the like are told apart from `import-statement`. */
  readonly kind: string;
  /** Gone once the types are erased. */
  readonly isTypeOnly: boolean;
}

/** All files below a folder of the repository, sorted, with forward slashes. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Every import of the given TypeScript files, whether of values or of types alone. */
export async function importsOf(files: readonly string[]): Promise<readonly Import[]> {
  const ofValues = await parseImports(files, (source) => source);
  const all = await parseImports(files, withTypesAsValues);
  const key = ({ from, to }: Omit<Import, 'isTypeOnly'>) => `${from} ${to}`;
  const values = new Set(ofValues.map(key));
  return all.map((found) => ({ ...found, isTypeOnly: !values.has(key(found)) }));
}

/**
 * Source whose imports and re-exports of types are written as those of values: esbuild, like every
 * other eraser of types, does not tell of them. `verbatimModuleSyntax` keeps the rest as it stands.
 */
function withTypesAsValues(source: string): string {
  return source.replace(/^(import|export) type (?=[{*]|\w+ from )/gm, '$1 ');
}

async function parseImports(
  files: readonly string[],
  transform: (source: string) => string,
): Promise<Omit<Import, 'isTypeOnly'>[]> {
  const found: Omit<Import, 'isTypeOnly'>[] = [];
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...files],
    outdir: 'unused',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'record',
        setup: ({ onResolve, onLoad }) => {
          onResolve({ filter: /./ }, ({ kind, importer, path }) => {
            if (kind === 'entry-point') return undefined;
            const from = relative(ROOT, importer).split(sep).join('/');
            const isRelative = path.startsWith('.');
            const to = isRelative ? posix.join(posix.dirname(from), path) : path;
            found.push({ from, to, kind });
            return { path, external: true };
          });
          onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            contents: transform(readFileSync(path, 'utf8')),
            loader: 'ts',
          }));
        },
      },
    ],
  });
  return found;
}

/**
 * What a bundle of `entry` is made of: the files of this repository, the packages, and what stays
 * outside of it.
 */
export async function closureOf(entry: string): Promise<{
  readonly files: readonly string[];
  readonly packages: readonly string[];
  readonly outside: readonly string[];
}> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*'],
    logLevel: 'silent',
  });
  const inputs = Object.entries(metafile.inputs);
  const packages = inputs.flatMap(
    ([path]) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return {
    files: inputs
      .map(([path]) => path)
      .filter((path) => !path.startsWith('node_modules/'))
      .sort(),
    packages: [...new Set(packages)].sort(),
    outside: inputs.flatMap(([, { imports }]) =>
      imports.filter(({ external }) => external).map(({ path }) => path),
    ),
  };
}

/**
 * The free uses of the given global names in a file: neither properties, nor names that the file
 * itself declares, nor types. The names may have members: `Date.now`.
 */
export async function globalsUsedBy(file: string, names: readonly string[]): Promise<string[]> {
  const marker = (name: string) => `__global_${name.replaceAll('.', '_')}__`;
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [file],
    bundle: false,
    write: false,
    format: 'esm',
    platform: 'neutral',
    logLevel: 'silent',
    define: Object.fromEntries(names.map((name) => [name, marker(name)])),
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  const text = outputFiles.map((output) => output.text).join('');
  return names.filter((name) => text.includes(marker(name)));
}

/** Groups of nodes that reach each other, each sorted; a node that reaches itself is one too. */
export function cyclesOf(edges: readonly { from: string; to: string }[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    next.set(from, (next.get(from) ?? new Set()).add(to));
  }
  const reached = new Map([...next.keys()].map((node) => [node, reachedFrom(node, next)] as const));
  const groups = [...next.keys()]
    .filter((node) => reached.get(node)?.has(node))
    .map((node) =>
      [...(reached.get(node) ?? [])].filter((other) => reached.get(other)?.has(node)).sort(),
    );
  return [...new Map(groups.map((group) => [group.join(' '), group])).values()];
}

function reachedFrom(node: string, next: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set<string>();
  const waiting = [...(next.get(node) ?? [])];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    waiting.push(...(next.get(at) ?? []));
  }
  return reached;
}
