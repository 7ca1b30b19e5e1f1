import { type BigIntStats, statSync } from 'node:fs';

/**
 * What tells files apart from what was there before, without reading them. One that is not there, or
 * cannot be looked at, has an identity too.
 */
export function identityOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const { dev, ino, size, mtimeNs, ctimeNs } = statsOf(file);
      return [file, dev, ino, size, mtimeNs, ctimeNs].join(' ');
    })
    .join('\n');
}

function statsOf(file: string): Partial<BigIntStats> {
  try {
    return statSync(file, { bigint: true });
  } catch {
    return {};
  }
}
