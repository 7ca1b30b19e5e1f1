import type { Lane } from '../analysis/lane.ts';
import type { Client } from '../client.ts';
import type { ServerOptions, Serving } from '../serving.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** What the requests need of the server, and no more: any {@link Serving} is one. */
export interface RequestServing extends Pick<Serving, 'connection'> {
  readonly client: Pick<Client, 'isTrusted' | 'reviews'>;
  readonly options: Pick<ServerOptions, 'executorHost'>;
  readonly session: {
    readonly files: Pick<Lane, 'do'>;
    readonly workspace: Pick<Workspace, 'folders' | 'projects' | 'whitelistOf'>;
  };
}
