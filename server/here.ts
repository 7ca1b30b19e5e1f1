import { homedir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import type { ServerOptions } from './serving.ts';

/**
 * What the server is made of, in a package as it is built.
 * @param dist the folder of the bundles.
 */
export function optionsHere(dist: URL): ServerOptions {
  return {
    thread: new URL('analysis.js', dist),
    grammars: new URL('grammars/', dist),
    executorHost: new URL('executor-host.js', dist),
    pages: new URL('../docs/rules/', dist).href,
    version: packageJson.version,
    cacheFolder: join(cacheHome(), 'touchstone'),
  };
}

/** Where programs of this user keep what they can do without. */
function cacheHome(): string {
  if (process.platform === 'win32') return process.env.LOCALAPPDATA ?? homedir();
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
}
