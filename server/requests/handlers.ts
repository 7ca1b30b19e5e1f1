import type { CancellationToken } from 'vscode-languageserver';
import type { z } from 'zod';
import { Certify, Inspect, Receipts, Run, Verify } from '../protocol.ts';
import { certifyAt } from './certify.ts';
import { createExecutors } from './executors.ts';
import { toResponseError } from './failures.ts';
import { inspectAt } from './inspect.ts';
import { certifyParams, executorParams, readParams, receiptsParams, runParams } from './params.ts';
import { receiptsIn } from './receipts.ts';
import { runAt } from './run.ts';
import type { RequestServing } from './serving.ts';
import { verifyAt } from './verify.ts';

/** What answers the requests of protocol.ts. */
export interface Requests {
  /** Ends what runs, each run with its receipt if the client still signs it, and lets go of everything. */
  close(): Promise<void>;
}

/** Answers the requests of protocol.ts on a connection. */
export function registerRequests(serving: RequestServing): Requests {
  const executors = createExecutors(serving.options.executorHost);
  const { connection } = serving;
  connection.onRequest(
    Inspect,
    answering(executorParams, ({ uri }) => inspectAt(serving, uri)),
  );
  connection.onRequest(
    Verify,
    answering(executorParams, ({ uri }) => verifyAt(serving, uri)),
  );
  connection.onRequest(
    Certify,
    answering(certifyParams, (order, token) => certifyAt(serving, order, token)),
  );
  connection.onRequest(
    Run,
    answering(runParams, (order, token) => runAt(serving, executors, order, token)),
  );
  connection.onRequest(
    Receipts,
    answering(receiptsParams, (query, token) => receiptsIn(serving, query, token)),
  );
  return { close: () => executors.close() };
}

/** A handler that reads its parameters before it trusts them, and whose failures are a client's. */
function answering<Schema extends z.ZodType, Answer>(
  schema: Schema,
  handle: (params: z.output<Schema>, token: CancellationToken) => Promise<Answer>,
): (params: unknown, token: CancellationToken) => Promise<Answer> {
  return async (params, token) => {
    try {
      return await handle(readParams(schema, params), token);
    } catch (error) {
      throw toResponseError(error);
    }
  };
}
