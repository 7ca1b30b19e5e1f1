import type { Connection } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Client } from './client.ts';
import type { Session } from './session.ts';

/** Where the server finds what it is made of, and who it is. */
export interface ServerOptions {
  /** The script of an analysis thread. */
  readonly thread: URL;
  /** The folder of the grammars. */
  readonly grammars: URL;
  /** The script of the process that executors run in. */
  readonly executorHost: URL;
  /** URI of the folder of the rules' pages, with a final slash. */
  readonly pages: string;
  readonly version: string;
  /** Where results are kept, unless the client says otherwise; `undefined` to keep none. */
  readonly cacheFolder: string | undefined;
}

/** Everything that a handler of messages needs. */
export interface Serving {
  readonly connection: Connection;
  readonly client: Client;
  readonly session: Session;
  readonly options: ServerOptions;
  /** The open document of a URI, by whichever spelling. */
  document(uri: string): TextDocument | undefined;
}
