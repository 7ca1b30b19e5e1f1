import { z } from 'zod';
import { addresses, bytes, hosts, timeoutMs } from './common.ts';

/** What `websocket_op` may do. */
export const websocketGrant = z
  .strictObject({
    hosts,
    plainHttp: z
      .boolean()
      .default(false)
      .describe('Whether `ws:` may be used beside `wss:`. To a loopback address it always may.'),
    addresses,
    connections: z
      .int()
      .min(1)
      .max(100)
      .default(4)
      .describe('Connections that may be open at once.'),
    messageBytes: bytes(1_048_576, 'Bytes that a message may have, either way.'),
    timeoutMs: timeoutMs(30_000),
  })
  .meta({ description: 'WebSocket connections.' });

export type WebsocketGrant = z.infer<typeof websocketGrant>;
