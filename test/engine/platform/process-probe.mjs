// A host that tries a way out that JavaScript has, one a job, and answers what became of it. It is the
// script of the process itself, run by the launcher of the executors' own: nothing was taken from
// its realm, and what holds it is the layers alone. It speaks the frames by hand.

import child from 'node:child_process';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import inspector from 'node:inspector';
import module from 'node:module';
import net from 'node:net';
import vm from 'node:vm';
import { WASI } from 'node:wasi';
import { Worker } from 'node:worker_threads';

const read = (length) => {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const count = fs.readSync(3, bytes, at, length - at);
    if (count === 0) process.exit();
    at += count;
  }
  return bytes;
};
const send = (kind, detail, turn, text = '') => {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(payload.length, 0);
  header[4] = kind;
  header[5] = detail;
  header.writeUInt32LE(turn, 8);
  fs.writeSync(3, Buffer.concat([header, payload]));
};

/** Resolves to what an event source says first. */
const first = (emitter, good, bad = 'error') =>
  new Promise((resolve, reject) => {
    emitter.once(good, () => resolve(`${good}`));
    emitter.once(bad, reject);
  });
const called = (start) =>
  new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(String(value))));
  });

const ways = ({ folder, port, udp, path, parent }) => ({
  'file: readFileSync': () => fs.readFileSync('/etc/passwd', 'utf8').length,
  'file: openSync': () => fs.openSync('/etc/passwd', 'r'),
  'file: read, with a callback': () => called((done) => fs.readFile('/etc/passwd', done)),
  'file: read, with a promise': () => fs.promises.readFile('/etc/passwd'),
  'file: createReadStream': () => first(fs.createReadStream('/etc/passwd'), 'open'),
  'file: its own folder': () => fs.readdirSync('.').length,
  'file: a device': () => fs.openSync('/dev/zero', 'r'),
  'file: Buffer as path': () => fs.openSync(Buffer.from('/etc/passwd'), 'r'),
  'file: URL as path': () => fs.openSync(new URL('file:///etc/passwd'), 'r'),
  'file: a path that climbs': () => fs.openSync('/proc/self/../../etc/passwd', 'r'),
  'file: /proc of the parent': () => fs.readFileSync(`/proc/${parent}/environ`),
  'file: its own descriptors': () => fs.readdirSync('/proc/self/fd').length,
  'file: through /proc/self/fd': () => fs.openSync('/proc/self/fd/0', 'r'),
  'file: stat': () => fs.statSync('/etc/passwd').size,
  'file: exists, promised': () => fs.promises.access('/etc/passwd'),
  'file: watch': () => fs.watch('/etc').close(),
  'file: write': () => fs.writeFileSync(`${folder}/written`, 'x'),
  'file: append': () => fs.appendFileSync(`${folder}/present`, 'x'),
  'file: write, with a promise': () => fs.promises.writeFile(`${folder}/written`, 'x'),
  'file: mkdtemp': () => fs.mkdtempSync(`${folder}/written-`),
  'file: mkdir': () => fs.mkdirSync(`${folder}/made`),
  'file: symlink': () => fs.symlinkSync('/etc/passwd', `${folder}/link`),
  'file: unlink': () => fs.unlinkSync(`${folder}/present`),
  'file: rename': () => fs.renameSync(`${folder}/present`, `${folder}/moved`),
  'file: chmod': () => fs.chmodSync(`${folder}/present`, 0o777),
  'file: truncate': () => fs.truncateSync(`${folder}/present`),
  'file: report': () =>
    process.report.writeReport(`${folder}/report.json`) || Promise.reject(new Error('not written')),
  'file: heap snapshot': async () => (await import('node:v8')).writeHeapSnapshot(`${folder}/heap`),
  'file: sqlite': async () => {
    const { DatabaseSync } = await import('node:sqlite');
    new DatabaseSync(`${folder}/base`).exec('CREATE TABLE t (x)');
  },
  'file: loadEnvFile': () => process.loadEnvFile('/etc/os-release'),
  'file: require of JSON': () => module.createRequire('/')(`${folder}/present.json`),
  'file: import of a file': () => import(`${folder}/module.mjs`),
  'file: import of a file, from vm': () =>
    new vm.Script(`import(${JSON.stringify(`${folder}/module.mjs`)})`, {
      importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }).runInThisContext(),
  'file: createRequire in vm': () =>
    vm.runInNewContext('f("/etc/passwd")', { f: (name) => fs.readFileSync(name) }),
  'file: WASI with a preopened folder': () => {
    const wasi = new WASI({ version: 'preview1', preopens: { '/': '/etc' } });
    return typeof wasi.wasiImport.path_open;
  },
  'file: fs of the binding': () => process.binding('fs').open('/etc/passwd', 0, 0o666, undefined),
  'file: dlopen': () => process.dlopen({ exports: {} }, `${folder}/present`),
  'socket: TCP to the test': () => first(net.connect(port, '127.0.0.1'), 'connect'),
  'socket: TCP listen': () => first(net.createServer().listen(0, '127.0.0.1'), 'listening'),
  'socket: HTTP': () => first(http.get(`http://127.0.0.1:${port}/`), 'response'),
  'socket: fetch': () => fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status),
  'socket: UDP': () =>
    called((done) => {
      const socket = dgram.createSocket('udp4');
      socket.once('error', done);
      socket.send('x', udp, '127.0.0.1', done);
    }),
  'socket: DNS over the network': () => {
    const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([`127.0.0.1:${udp}`]);
    return called((done) => resolver.resolve4('example.org', done));
  },
  'socket: DNS of the system': () => called((done) => dns.lookup('example.org', done)),
  'socket: Unix': () => first(net.connect({ path }), 'connect'),
  'socket: Unix, abstract': () => first(net.connect({ path: '\0way-out' }), 'connect'),
  'socket: inspector': () => {
    inspector.open(0, '127.0.0.1');
    return inspector.url() ?? Promise.reject(new Error('it has no address'));
  },
  'child: spawnSync': () => settled(child.spawnSync('/bin/true')),
  'child: execSync': () => child.execSync('true').length,
  'child: spawn': () => first(child.spawn('/bin/true'), 'spawn'),
  'child: fork': () => first(child.fork('/dev/null'), 'spawn'),
  'child: cluster': () => first(cluster.fork(), 'online'),
  'child: spawn of the binding': () => {
    const { Process } = process.binding('process_wrap');
    const code = new Process().spawn({ file: '/bin/true', args: ['true'], stdio: [] });
    return code === 0 || Promise.reject(new Error(`code ${code}`));
  },
  'child: execve': () => process.execve('/bin/true', ['true']),
  'thread: Worker': () => first(new Worker('', { eval: true }), 'online'),
  'other: code from text': () => Function('return 1')(),
  'other: import of data:': () =>
    import('data:text/javascript,export default 1').then((it) => it.default),
  'other: signal to the parent': () => process.kill(parent, 0),
  'other: _debugProcess of the parent': () => process._debugProcess(parent),
  'other: chdir': () => process.chdir('/etc'),
  'other: setuid': () => process.setuid(0),
  'other: environment': () =>
    Object.keys(process.env).filter((name) => name !== 'UV_USE_IO_URING').length ||
    Promise.reject(new Error('it is empty')),
});

function settled({ error, status }) {
  return error ? Promise.reject(error) : status;
}

const patience = () =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Error('nothing came of it in 2 s')), 2_000);
  });

// A descriptor that fails late must end one attempt, not all.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});

send(
  1,
  ['fs.read', 'fs.write', 'child', 'worker'].every((s) => process.permission?.has(s) === false)
    ? 1
    : 0,
  0,
);
setImmediate(async () => {
  for (;;) {
    const header = read(12);
    const payload = read(header.readUInt32LE(0)).toString();
    const turn = header.readUInt32LE(8);
    if (header[4] === 1) send(2, header[5], turn);
    if (header[4] !== 3) continue;
    const { way, ...about } = JSON.parse(payload);
    const all = ways(about);
    let report = Object.keys(all);
    if (way !== undefined) {
      try {
        report = `done: ${await Promise.race([(async () => all[way]())(), patience()])}`;
      } catch (error) {
        report = `refused: ${error?.code ?? ''} ${String(error?.message ?? error).slice(0, 80)}`;
      }
    }
    send(4, 0, turn, JSON.stringify(report));
  }
});
