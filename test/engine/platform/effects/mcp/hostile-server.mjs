// A server of the Model Context Protocol over stdio that misbehaves as its argument says.
import { spawn } from 'node:child_process';
import { closeSync, readdirSync, readlinkSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , mode = 'honest', file] = process.argv;
const CANARY = process.env.TOKEN ?? '';

const send = (message) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const answer = (id, result) => send({ id, result });
const note = (text) => file !== undefined && writeFileSync(file, `${text}\n`, { flag: 'a' });
const text = (said, more = {}) => ({ content: [{ type: 'text', text: said }], ...more });

let tools = ['say', 'hang', 'other'];
let pages = 0;

/** Writes as fast as the reader reads. */
function flood(line) {
  const write = () => {
    while (process.stdout.write(line));
    process.stdout.once('drain', write);
  };
  write();
}

const CALLS = {
  honest: (id, { arguments: args }) => answer(id, text(JSON.stringify(args))),
  environment: (id) => answer(id, text(JSON.stringify(process.env))),
  descriptors: (id) => {
    const names = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // the one that listed the others
      }
    });
    answer(id, text(JSON.stringify(names)));
  },
  exit: () => process.exit(3),
  garbage: () => process.stdout.write('listening on port 8080\n'),
  'not-json-rpc': (id) => process.stdout.write(`${JSON.stringify({ id, result: {} })}\n`),
  deep: (id) =>
    process.stdout.write(
      `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}}\n`,
    ),
  surrogate: (id) =>
    process.stdout.write(
      `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"\\ud800"}]}}\n`,
    ),
  huge: (id) => answer(id, text('x'.repeat(200_000))),
  'endless-line': () => flood('x'.repeat(65_536)),
  'endless-lines': () =>
    flood(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/x' })}\n`),
  'endless-stderr': (id) => {
    for (let i = 0; i < 100; i++) writeSync(2, 'x'.repeat(65_536));
    answer(id, text('still here'));
  },
  'many-items': (id) => answer(id, { content: new Array(20_000).fill(0) }),
  'wrong-kind': (id) => answer(id, { content: [{ type: 'program', code: 'x' }] }),
  'no-list': (id) => answer(id, { content: 'x' }),
  'no-result': (id) => send({ id, result: 7 }),
  structured: (id) => answer(id, { ...text('s'), structuredContent: { b: [1], a: null } }),
  'structured-list': (id) => answer(id, { ...text('s'), structuredContent: [1] }),
  'says-error': (id) => answer(id, text(`no file\nTOKEN is ${CANARY}`, { isError: true })),
  'rpc-error': (id) => send({ id, error: { code: -32602, message: `bad ${CANARY}` } }),
  'wrong-id': () => answer(987_654, text('x')),
  twice: (id) => {
    answer(id, text('first'));
    answer(id, text('second'));
  },
  vanish: (id) => {
    tools = ['other'];
    send({ method: 'notifications/tools/list_changed' });
    answer(id, text('now you see me'));
  },
  'vanish-silently': (id, { name }) => {
    if (!tools.includes(name)) {
      send({ id, error: { code: -32602, message: 'unknown tool' } });
      return;
    }
    tools = ['other'];
    answer(id, text('now you see me'));
  },
  asks: (id) => {
    for (const method of ['sampling/createMessage', 'roots/list', 'elicitation/create', 'ping']) {
      send({ id: `my-${method}`, method, params: {} });
    }
    setTimeout(() => answer(id, text('asked')), 50);
  },
  'asks-on-and-on': () => {
    for (let i = 0; i < 1_000; i++) send({ id: `p${i}`, method: 'ping' });
  },
  deaf: (id) => {
    answer(id, text('the last that I heard'));
    input.pause();
    setInterval(() => undefined, 1_000);
  },
};

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  note(line);
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') {
    if (mode === 'mute') return;
    if (mode === 'other-version') {
      answer(id, {
        protocolVersion: CANARY,
        capabilities: {},
        serverInfo: { name: 'x', version: '1' },
      });
      return;
    }
    if (mode === 'unfriendly') {
      send({ id, error: { code: -32000, message: CANARY } });
      return;
    }
    answer(id, {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'hostile', version: '1' },
    });
  } else if (method === 'tools/list') {
    if (mode === 'no-tools') send({ id, error: { code: -32601, message: 'no' } });
    else if (mode === 'tools-no-list') answer(id, { tools: 7 });
    else if (mode === 'nameless-tools') answer(id, { tools: new Array(200_000).fill(0) });
    else if (mode === 'endless-tools')
      answer(id, { tools: [{ name: `t${pages++}` }], nextCursor: 'x' });
    else answer(id, { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) });
  } else if (method === 'tools/call') {
    if (params.name !== 'hang') (CALLS[mode] ?? CALLS.honest)(id, params);
  }
});

if (mode === 'stubborn' || mode === 'family') {
  note(`pid ${process.pid}`);
  process.on('SIGTERM', () => note('SIGTERM'));
  input.on('close', () => note('end of input'));
  setInterval(() => undefined, 1_000);
}
if (mode === 'family' || mode === 'exit') {
  // A child that keeps the streams open, and ends for nobody.
  const child = spawn(
    process.execPath,
    ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'],
    { stdio: 'inherit' },
  );
  note(`child ${child.pid}`);
}
if (mode === 'quits-early') closeSync(1);
