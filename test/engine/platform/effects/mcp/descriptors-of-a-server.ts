import { readdirSync, readlinkSync } from 'node:fs';
import { machineGrant } from '../../../../../engine/governance/grants/machine.ts';
import { createMcpHandler } from '../../../../../engine/platform/node/effects/mcp/mcp-handler.ts';
import { call, HOSTILE, SECRETS, textOf } from './support.ts';

// Prints the descriptors of this process, and those of a server that it starts.
const server = {
  name: 's',
  command: process.execPath,
  args: [HOSTILE, 'descriptors'],
  tools: ['say'],
};
const handler = createMcpHandler(machineGrant.parse({ servers: [server] }), { secrets: SECRETS });
const seen: unknown = JSON.parse(textOf(await call(handler, 'say')));
await handler.close?.();
const own = readdirSync('/proc/self/fd').flatMap((descriptor) => {
  try {
    return [readlinkSync(`/proc/self/fd/${descriptor}`)];
  } catch {
    return []; // the one that listed the others
  }
});
console.log(JSON.stringify({ own, server: seen }));
