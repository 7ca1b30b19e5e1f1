import { machineGrant } from '../../../../../engine/governance/grants/machine.ts';
import { createMcpHandler } from '../../../../../engine/platform/node/effects/mcp/mcp-handler.ts';
import { call, HOSTILE, SECRETS, textOf } from './support.ts';

// Ends while a server runs that would go on.
const server = {
  name: 's',
  command: process.execPath,
  args: [HOSTILE, 'stubborn', String(process.argv[2])],
  tools: ['say'],
};
const handler = createMcpHandler(machineGrant.parse({ servers: [server] }), { secrets: SECRETS });
textOf(await call(handler, 'say'));
process.exit(7);
