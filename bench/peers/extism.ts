import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import createPlugin from '@extism/extism';

/** One way to run the executor `call` as a plugin of Extism: takes the input document, answers the output document. */
export interface ExtismRun {
  /** A fresh plugin for one call, from a module compiled before. */
  readonly createAndCall: (input: string) => Promise<string>;
  /** One more call of a plugin that lives on, and that keeps what earlier calls left in its memory. */
  readonly call: (input: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Compiles the plugin once and starts the one that lives on. */
export async function prepareExtism(options: {
  readonly runInWorker: boolean;
}): Promise<ExtismRun> {
  const file = join('bench', 'peers', 'extism-call', 'build', 'extism-call.wasm');
  const module = new WebAssembly.Module(readFileSync(file));
  const plugin = await createPlugin(module, options);
  return {
    createAndCall: async (input) => {
      const fresh = await createPlugin(module, options);
      const output = await fresh.call('plan', input);
      await fresh.close();
      return textOf(output);
    },
    call: async (input) => textOf(await plugin.call('plan', input)),
    close: () => plugin.close(),
  };
}

function textOf(output: { text(): string } | null): string {
  if (output === null) throw new Error('the Extism plugin answered nothing');
  return output.text();
}
