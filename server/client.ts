import type { ClientCapabilities } from 'vscode-languageserver';
import { z } from 'zod';
import type { CompletionClient } from './manifest/json-service.ts';
import { COMMANDS, type InitializationOptions } from './protocol.ts';
import { readSettings, type Settings } from './settings.ts';

/** What a client is like, found out when it introduces itself; its settings and its trust may change. */
export interface Client {
  /** Whether the editor has another language server for WebAssembly text. */
  readonly watElsewhere: boolean;
  /** The commands that it carries out, of those that there are. */
  readonly commands: ReadonlySet<string>;
  /** Whether it asks its user where a hook wants a person. */
  readonly reviews: boolean;
  /** Whether it draws `$(name)` in titles as icons. */
  readonly icons: boolean;
  readonly completion: CompletionClient;
  /** Asks for diagnostics, and can be told to ask again. */
  readonly pulls: boolean;
  /** Answers what its settings are. */
  readonly answersSettings: boolean;
  /** Tells what changes on disk. */
  readonly watches: boolean;
  /** Undefined: the usual place. Null: nowhere. */
  readonly cacheFolder: string | null | undefined;
  settings(): Settings;
  setSettings(section: unknown): void;
  isTrusted(): boolean;
  trust(): void;
}

const optionsSchema = z.object({
  trusted: z.boolean().catch(false),
  cacheFolder: z.string().min(1).nullable().optional().catch(undefined),
  watElsewhere: z.boolean().catch(false),
  commands: z.array(z.string()).max(1000).catch([]),
  reviews: z.boolean().catch(false),
  icons: z.boolean().catch(false),
  settings: z.unknown().optional(),
}) satisfies z.ZodType<{ [K in keyof InitializationOptions]: unknown }>;

const OWN_COMMANDS: ReadonlySet<string> = new Set(Object.values(COMMANDS));

/** Reads what a client says of itself. What is not understood counts as not said; never throws. */
export function readClient(
  initializationOptions: unknown,
  { workspace, textDocument }: ClientCapabilities,
): Client {
  const parsed = optionsSchema.safeParse(initializationOptions ?? {});
  const options = parsed.data ?? optionsSchema.parse({});
  const item = textDocument?.completion?.completionItem;
  let settings = readSettings(options.settings);
  let isTrusted = options.trusted;
  return {
    watElsewhere: options.watElsewhere,
    commands: new Set(options.commands.filter((name) => OWN_COMMANDS.has(name))),
    icons: options.icons,
    reviews: options.reviews,
    completion: {
      snippets: item?.snippetSupport === true,
      markdown: item?.documentationFormat?.includes('markdown') === true,
      commands: new Set(options.commands),
    },
    pulls:
      textDocument?.diagnostic !== undefined && workspace?.diagnostics?.refreshSupport === true,
    answersSettings: workspace?.configuration === true,
    watches: workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
    cacheFolder: options.cacheFolder,
    settings: () => settings,
    setSettings: (section) => {
      settings = readSettings(section);
    },
    isTrusted: () => isTrusted,
    trust: () => {
      isTrusted = true;
    },
  };
}
