// Code that runs in the process of the executors tries to get out. Nothing was taken from its
// JavaScript: what is seen here is what the layers hold by themselves.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { HostEnd } from '../../../engine/platform/node/process-host.ts';
import { planLaunch } from '../../../engine/platform/node/process-launch.ts';
import type { ProcessLayers } from '../../../engine/platform/node/process-layers.ts';
import { answerOf, jobOf, poolOf } from './process-support.ts';

const probe = readFileSync(new URL('process-probe.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'probe-'));

/** Fills the folder. It is open to everybody: its own permissions shall not decide anything. */
function prepareFolder(): void {
  for (const name of readdirSync(folder)) {
    if (name !== 'socket') rmSync(join(folder, name), { recursive: true, force: true });
  }
  chmodSync(folder, 0o777);
  for (const [name, text] of FILES) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o666);
  }
}

const FILES = [
  ['present', 'as it was'],
  ['present.json', '{}'],
  ['module.mjs', 'export default 1;'],
] as const;

let connections = 0;
const server = createServer((socket) => {
  connections++;
  socket.on('error', () => {});
  socket.end('HTTP/1.1 204 No Content\r\n\r\n');
}).listen(0, '127.0.0.1');
const unix = createServer(() => {
  connections++;
}).listen(join(folder, 'socket'));
let datagrams = 0;
const udp = createSocket('udp4')
  .on('message', () => {
    datagrams++;
  })
  .bind(0, '127.0.0.1');
await Promise.all(
  [server, unix, udp].map((each) => new Promise((up) => each.once('listening', up))),
);
chmodSync(join(folder, 'socket'), 0o777);
after(() => {
  for (const each of [server, unix, udp]) each.close();
  rmSync(folder, { recursive: true, force: true });
});

const address = server.address();
const port = typeof address === 'object' ? address?.port : 0;
const before = ['module.mjs', 'present', 'present.json', 'socket'];

/** What became of each attempt, in a process with all layers but some. */
async function attempt(options: {
  readonly node?: string;
  readonly without?: readonly (keyof ProcessLayers)[];
}): Promise<ReadonlyMap<string, string>> {
  prepareFolder();
  connections = 0;
  datagrams = 0;
  const pool = await poolOf(probe, options);
  try {
    const path = join(folder, 'socket');
    const about = { folder, port, udp: udp.address().port, path, parent: process.pid };
    const tell = async (way?: string) => {
      const job = { ...jobOf(JSON.stringify({ way, ...about })), answerBytes: 1_000_000 };
      return pool.execute(job, { timeoutMs: 60_000 });
    };
    const ways: readonly string[] = JSON.parse(answerOf(await tell()));
    const report = new Map<string, string>();
    for (const way of ways) {
      const end = await tell(way);
      // Node gives up where the kernel lets it start no thread.
      report.set(way, end.kind === 'answer' ? JSON.parse(end.answer) : `ended: ${told(end)}`);
    }
    return report;
  } finally {
    await pool.close();
  }
}

function told(end: HostEnd<string>): string {
  return end.kind === 'lost' ? end.reason : end.kind;
}

function escapes(report: ReadonlyMap<string, string>, kinds: readonly string[]): string[] {
  return [...report].flatMap(([way, what]) =>
    kinds.includes(way.split(':')[0] ?? '') && what.startsWith('done') ? [`${way}: ${what}`] : [],
  );
}

const NEWER = process.env.TOUCHSTONE_NEWER_NODE;
const nodes = [process.execPath, ...(NEWER ? [NEWER] : [])];

for (const node of nodes) {
  const version = node === process.execPath ? process.version : 'a newer Node';
  const { layers, restrict } = await planLaunch({ node });
  const held = { ...layers, ...restrict?.layers };

  test(`no file, socket, child or thread is opened under ${version}`, async (t) => {
    const report = await attempt({ node });
    for (const [way, what] of report) t.diagnostic(`${way}: ${what}`);
    t.diagnostic(JSON.stringify(held));
    assert.ok(report.size > 50);
    assert.deepEqual(escapes(report, ['file', 'child', 'thread']), []);
    if (held.noDescriptors || held.networkPermission) {
      assert.deepEqual(escapes(report, ['socket']), []);
      assert.deepEqual({ connections, datagrams }, { connections: 0, datagrams: 0 });
    }
    if (held.unprivilegedUser) {
      assert.match(report.get('other: signal to the parent') ?? '', /EPERM/);
      assert.match(report.get('other: setuid') ?? '', /EPERM/);
    }
    assertUntouched();
  });

  test(`the permission model alone holds files, children and threads under ${version}`, async () => {
    const report = await attempt({ node, without: ['noDescriptors'] });
    assert.deepEqual(escapes(report, ['file', 'child', 'thread']), []);
    assertUntouched();
  });

  test(`the kernel alone opens no file for reading, no socket and no child under ${version}`, async (t) => {
    if (!held.noDescriptors) return t.skip('there is no prlimit here');
    const report = await attempt({ node, without: ['permissionModel'] });
    const opened = escapes(report, ['file', 'socket', 'child', 'thread']);
    for (const each of opened) t.diagnostic(each);
    // What needs no descriptor is no opening: asking about a file, changing its name.
    assert.deepEqual(
      opened.filter((way) => !WITHOUT_DESCRIPTOR.test(way)),
      [],
    );
    assert.deepEqual({ connections, datagrams }, { connections: 0, datagrams: 0 });
  });

  test(`a network namespace holds what the other layers do not under ${version}`, async (t) => {
    if (!held.networkNamespace) return t.skip('there are no network namespaces here');
    const report = await attempt({ node, without: ['noDescriptors'] });
    assert.match(report.get('socket: TCP to the test') ?? '', /refused/);
    assert.match(report.get('socket: HTTP') ?? '', /refused/);
    assert.match(report.get('socket: fetch') ?? '', /refused/);
    assert.equal(datagrams, 0);
  });
}

function assertUntouched(): void {
  assert.deepEqual(readdirSync(folder).sort(), before);
  assert.equal(readFileSync(join(folder, 'present'), 'utf8'), 'as it was');
}

const WITHOUT_DESCRIPTOR =
  /^file: (stat|exists|mkdir|mkdtemp|symlink|unlink|rename|chmod|truncate|WASI)/;

test('a Node that only its own user can reach is run by that user, without capabilities', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root has rights to give up');
  const hidden = mkdtempSync(join(tmpdir(), 'hidden-'));
  const node = join(hidden, 'node');
  symlinkSync(process.execPath, node);
  const { layers, restrict } = await planLaunch({ node });
  t.diagnostic(JSON.stringify(layers));
  assert.equal(layers.permissionModel, true);
  assert.equal(layers.unprivilegedUser, false);
  const report = await attempt({ node });
  assert.deepEqual(escapes(report, ['file', 'child', 'thread']), []);
  if (restrict !== undefined) assert.deepEqual(escapes(report, ['socket']), []);
  assertUntouched();
  rmSync(hidden, { recursive: true });
});

test('without a layer that keeps files away the plan says so', async () => {
  const { layers, restrict } = await planLaunch({ without: ['permissionModel', 'noDescriptors'] });
  assert.equal(layers.permissionModel, false);
  assert.equal(restrict, undefined);
});
