// Between the URIs of the protocol and the paths of the machine. Only `file:` URIs have a path.

import { isAbsolute, relative, sep } from 'node:path';
import { URI } from 'vscode-uri';

/** The path of a `file:` URI; `undefined` for any other, such as that of an unsaved document. */
export function pathOf(uri: string): string | undefined {
  try {
    const parsed = URI.parse(uri, true);
    return parsed.scheme === 'file' ? parsed.fsPath : undefined;
  } catch {
    return undefined;
  }
}

/** The URI of a path, spelled as editors spell it. */
export function uriOf(path: string): string {
  return HAS_SCHEME.test(path) ? path : URI.file(path).toString();
}

/** A scheme has two letters or more; one is a drive. */
const HAS_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]+:/;

/** What a document is known by here: its path, or its URI where it has none. */
export function keyOf(uri: string): string {
  return pathOf(uri) ?? uri;
}

/** Where a path is, from a folder, with forward slashes; `undefined` if there is no way, as between drives. */
export function pathFrom(folder: string, path: string): string | undefined {
  const steps = relative(folder, path);
  if (isAbsolute(steps)) return undefined;
  return sep === '/' ? steps : steps.replaceAll(sep, '/');
}

/** Whether a path is a folder or lies in it. */
export function isWithin(folder: string, path: string): boolean {
  const steps = pathFrom(folder, path);
  return steps !== undefined && steps !== '..' && !steps.startsWith('../');
}
