import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** What a thread of SQLite is made of. */
export interface SqliteScripts {
  /** The thread's script: the bundle `sqlite-worker.js`, whose source is `worker.ts`. */
  readonly worker: URL;
  /** The folder of the library's two files, `node-sqlite3-wasm.js` and `node-sqlite3-wasm.wasm`. */
  readonly library: URL;
  /** What Node itself is told when it starts the thread: what it is told here, unless given. */
  readonly execArgv?: readonly string[];
}

export interface SqliteOptions {
  /** The folder that a relative path of the grant is relative to. */
  readonly base: string;
  /** What the thread is made of; found beside the running code unless given. */
  readonly scripts?: SqliteScripts;
}

/**
 * Where they lie: beside the source, and among the installed packages, where this runs from sources;
 * as `sqlite-worker.js` and in `sqlite/` in the folder of the bundles, where it is part of a bundle or
 * of one of the `chunks/` that bundles share.
 * @param here the URL of the module that asks.
 */
export function scriptsOf(here: string): SqliteScripts {
  if (here.endsWith('.ts')) {
    const library = pathToFileURL(createRequire(here).resolve('node-sqlite3-wasm'));
    return {
      worker: new URL('worker.ts', here),
      library: new URL('./', library),
      execArgv: ['--import', loaderOfSources()],
    };
  }
  const bundles = new URL(/\/chunks\/[^/]*$/.test(here) ? '../' : './', here);
  return { worker: new URL('sqlite-worker.js', bundles), library: new URL('sqlite/', bundles) };
}

/** Node 20 passes the loader that reads the sources here on to no thread. */
function loaderOfSources(): string {
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const program = `import { register } from ${tsx}; register();`;
  return `data:text/javascript,${encodeURIComponent(program)}`;
}
