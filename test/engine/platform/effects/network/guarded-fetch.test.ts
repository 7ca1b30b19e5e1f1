import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describeFailure } from '../../../../../engine/platform/node/effects/network/failure.ts';
import {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  NetworkRefusal,
  type NetworkRules,
} from '../../../../../engine/platform/node/effects/network/guarded-fetch.ts';
import { closedPort, serveBytes, serveHttp, serveRaw } from '../support/network-servers.ts';
import { createAuthority } from '../support/tls-certificates.ts';

const LOOPBACK = ['127.0.0.0/8'];

function guarded(rules: Partial<NetworkRules>, options?: GuardedFetchOptions): GuardedFetch {
  const made = createGuardedFetch(
    {
      hosts: [],
      addresses: LOOPBACK,
      plainHttp: false,
      redirects: 5,
      requestBytes: 100_000,
      responseBytes: 100_000,
      ...rules,
    },
    options,
  );
  after(() => made.close());
  return made;
}

interface Failure {
  readonly code: string;
  readonly wasSent: boolean | undefined;
}

/** How a request, or the reading of its body, fails. */
async function failureOf(request: Promise<Response>): Promise<Failure> {
  try {
    const response = await request;
    await response.arrayBuffer();
  } catch (error) {
    const { code, message } = describeFailure(error);
    assert.ok(!/[\r\n]/.test(message));
    return { code, wasSent: error instanceof NetworkRefusal ? error.wasSent : undefined };
  }
  return assert.fail('the request did not fail');
}

test('it has the shape of the fetch of the standard', async () => {
  const server = await serveHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.setHeader('x-method', request.method ?? '');
    response.setHeader('x-type', request.headers['content-type'] ?? '');
    response.end(Buffer.concat(chunks));
  });
  const base = `http://localhost:${server.port}`;
  const fetch: typeof globalThis.fetch = guarded({ hosts: [`localhost:${server.port}`] });
  const plain = await fetch(`${base}/a?b`);
  assert.ok(plain instanceof Response);
  assert.deepEqual([plain.status, plain.ok, plain.url], [200, true, `${base}/a?b`]);
  assert.equal(plain.redirected, false);
  const bodies: [RequestInit['body'], string][] = [
    ['text', 'text/plain;charset=UTF-8'],
    [new URLSearchParams({ a: 'b' }), 'application/x-www-form-urlencoded;charset=UTF-8'],
    [new Blob(['blob'], { type: 'image/x' }), 'image/x'],
    [new Uint8Array([1, 2, 3]), ''],
  ];
  for (const [body, type] of bodies) {
    const response = await fetch(new URL(base), { method: 'POST', body: body ?? null });
    assert.equal(response.headers.get('x-type'), type);
    const expected = new Uint8Array(await new Response(body ?? null).arrayBuffer());
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), expected);
  }
  const request = new Request(base, { method: 'PUT', body: 'r', headers: { 'x-a': 'b' } });
  const answer = await fetch(request);
  assert.equal(answer.headers.get('x-method'), 'PUT');
  assert.equal(await answer.text(), 'r');
  assert.equal(server.requests.at(-1)?.headers['x-a'], 'b');
  const form = new FormData();
  form.set('field', 'value');
  const sent = await (await fetch(base, { method: 'POST', body: form })).text();
  assert.match(sent, /name="field"/);
  const empty = await fetch(base, { method: 'HEAD' });
  assert.equal(await empty.text(), '');
});

test('a connection is kept for the next request to the same place', async () => {
  const server = await serveHttp((_request, response) => response.end('x'));
  const fetch = guarded({ hosts: [`localhost:${server.port}`] });
  for (let i = 0; i < 10; i++) await (await fetch(`http://localhost:${server.port}/`)).text();
  assert.equal(server.requests.length, 10);
  // A request that comes before the last connection is put back opens another.
  assert.ok(server.connections() <= 3, `${server.connections()}`);
});

test('the host of the URL is told, whatever header the caller gives', async () => {
  const server = await serveHttp((_request, response) => response.end());
  const fetch = guarded({ hosts: [`localhost:${server.port}`] });
  const headers = { host: 'evil.test', 'transfer-encoding': 'chunked', 'content-length': '7' };
  await fetch(`http://localhost:${server.port}/`, { headers });
  const [request] = server.requests;
  assert.equal(request?.headers.host, `localhost:${server.port}`);
  assert.equal(request?.headers['transfer-encoding'], undefined);
  assert.equal(request?.headers['content-length'], undefined);
  assert.equal(request?.headers.cookie, undefined);
});

test('a proxy of the environment is not used', async () => {
  const proxy = await serveHttp((_request, response) => response.end('proxy'));
  const server = await serveHttp((_request, response) => response.end('server'));
  const kept = { ...process.env };
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) {
    process.env[name] = `http://127.0.0.1:${proxy.port}`;
  }
  process.env.NODE_USE_ENV_PROXY = '1';
  try {
    const fetch = guarded({ hosts: [`localhost:${server.port}`] });
    assert.equal(await (await fetch(`http://localhost:${server.port}/`)).text(), 'server');
  } finally {
    process.env = kept;
  }
  assert.equal(proxy.connections(), 0);
});

test('a name is resolved once for a connection, and what it answers later is not connected to', async () => {
  const server = await serveHttp((_request, response) => {
    response.setHeader('connection', 'close');
    response.end('x');
  });
  let asked = 0;
  const answers = ['127.0.0.1', '169.254.169.254'];
  const resolve = async () => [{ address: answers[asked++] ?? '10.0.0.1' }];
  const hosts = [`rebinding.test:${server.port}`];
  const fetch = guarded({ hosts }, { resolve });
  const url = `http://rebinding.test:${server.port}/`;
  assert.equal(await (await fetch(url)).text(), 'x');
  assert.equal(asked, 1);
  assert.deepEqual(await failureOf(fetch(url)), { code: 'address-refused', wasSent: false });
  assert.deepEqual(await failureOf(fetch(url)), { code: 'address-refused', wasSent: false });
  assert.equal(asked, 3);
  assert.equal(server.requests.length, 1);
});

test('every address of a name is judged; all are tried', async () => {
  const server = await serveHttp((_request, response) => response.end('x'));
  const url = `http://many.test:${server.port}/`;
  const hosts = [`many.test:${server.port}`];
  const answer = (...addresses: string[]) => ({
    resolve: async () => addresses.map((address) => ({ address })),
  });
  const open = guarded({ hosts }, answer('127.9.9.9', '127.0.0.1'));
  assert.equal(await (await open(url)).text(), 'x');
  const mixed = guarded({ hosts }, answer('127.0.0.1', '10.0.0.1'));
  assert.deepEqual(await failureOf(mixed(url)), { code: 'address-refused', wasSent: false });
  const closed = guarded({ hosts, addresses: [] }, answer('127.0.0.1'));
  assert.deepEqual(await failureOf(closed(url)), { code: 'address-refused', wasSent: false });
  assert.equal(server.connections(), 1);
});

test('redirects are followed as the standard says', async () => {
  const server = await serveHttp(async (request, response) => {
    const [, status, target] = /^\/(\d+)(.*)$/.exec(request.url ?? '') ?? [];
    if (status !== undefined) {
      response.writeHead(Number(status), { location: target || '/end' });
      response.end('moved');
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end(`${request.method} ${request.headers['content-type']} ${body}`);
  });
  const base = `http://localhost:${server.port}`;
  const fetch = guarded({ hosts: [`localhost:${server.port}`] });
  const send = async (method: string, status: number) => {
    const body = method === 'GET' ? null : 'b';
    const headers = { 'content-type': 'x/y' };
    const response = await fetch(`${base}/${status}`, { method, body, headers });
    assert.equal(response.redirected, true);
    assert.equal(response.url, `${base}/end`);
    return response.text();
  };
  for (const status of [301, 302, 303]) {
    assert.equal(await send('POST', status), 'GET undefined ', `${status}`);
  }
  for (const status of [307, 308]) assert.equal(await send('POST', status), 'POST x/y b');
  assert.equal(await send('PUT', 301), 'PUT x/y b');
  assert.equal(await send('PUT', 303), 'GET undefined ');
  assert.equal(await send('GET', 301), 'GET x/y ');

  const manual = await fetch(`${base}/302`, { redirect: 'manual' });
  assert.deepEqual([manual.status, manual.headers.get('location')], [302, '/end']);
  const failure = await failureOf(fetch(`${base}/302`, { redirect: 'error' }));
  assert.deepEqual(failure, { code: 'redirect-refused', wasSent: true });
  const unmoved = await fetch(`${base}/304`);
  assert.equal(unmoved.status, 304);
});

test('redirects end: in a circle, or one after another', async () => {
  const server = await serveHttp((request, response) => {
    response.writeHead(302, {
      location: request.url === '/circle' ? '/circle' : `${request.url}x`,
    });
    response.end();
  });
  const fetch = guarded({ hosts: [`localhost:${server.port}`], redirects: 3 });
  for (const path of ['/circle', '/chain']) {
    const failure = await failureOf(fetch(`http://localhost:${server.port}${path}`));
    assert.deepEqual(failure, { code: 'too-many-redirects', wasSent: true });
  }
  assert.equal(server.requests.length, 8);
});

test('a redirect is judged like a first request', async () => {
  const victim = await serveHttp((_request, response) => response.end('secret'));
  let location = '';
  const server = await serveHttp((_request, response) => {
    response.writeHead(307, { location });
    response.end();
  });
  const resolve = async (name: string) => [
    { address: name === 'inside.test' ? '10.0.0.1' : '127.0.0.1' },
  ];
  const hosts = [
    'first.test',
    'second.test',
    'inside.test',
    'plain.test',
    '169.254.169.254',
    '*.far.test',
  ];
  const fetch = guarded(
    { hosts: [`localhost:${server.port}`, ...hosts], addresses: ['127.0.0.1/32'] },
    { resolve },
  );
  const refusals = {
    [`http://localhost:${victim.port}/`]: 'host-not-granted',
    [`http://127.0.0.1:${victim.port}/`]: 'host-not-granted',
    [`http://2130706433:${victim.port}/`]: 'host-not-granted',
    [`http://[::ffff:127.0.0.1]:${victim.port}/`]: 'host-not-granted',
    [`//127.1:${victim.port}/`]: 'host-not-granted',
    'http://169.254.169.254/latest/meta-data/': 'address-refused',
    'http://0xa9fea9fe/': 'address-refused',
    'https://inside.test/': 'address-refused',
    'http://inside.test/': 'address-refused',
    'https://user:pw@first.test/': 'userinfo-refused',
    'file:///etc/passwd': 'scheme-refused',
    'data:text/plain,x': 'scheme-refused',
    'javascript:1': 'scheme-refused',
    'https://': 'invalid-url',
    'http://[': 'invalid-url',
  };
  for (const [target, code] of Object.entries(refusals)) {
    location = target;
    const failure = await failureOf(
      fetch(`http://localhost:${server.port}/`, { method: 'POST', body: 'b' }),
    );
    assert.deepEqual(failure, { code, wasSent: true }, target);
  }
  assert.equal(victim.connections(), 0);
});

test('another origin is told nothing that may be secret, also not when it sends back', async () => {
  const home = await serveHttp((request, response) => {
    if (request.url === '/away')
      response.writeHead(307, { location: `http://localhost:${away.port}/` });
    response.end();
  });
  const away = await serveHttp((_request, response) => {
    response.writeHead(307, { location: `http://localhost:${home.port}/back` });
    response.end();
  });
  const fetch = guarded({ hosts: [`localhost:${home.port}`, `localhost:${away.port}`] });
  const secret = {
    authorization: 'Bearer canary',
    'proxy-authorization': 'canary',
    cookie: 'session=canary',
    'x-api-key': 'canary',
    'mcp-session-id': 'canary',
  };
  await fetch(`http://localhost:${home.port}/away`, {
    method: 'POST',
    body: 'b',
    headers: { ...secret, accept: 'text/x' },
  });
  const [first, last] = home.requests;
  assert.equal(first?.headers.authorization, 'Bearer canary');
  for (const request of [away.requests[0], last]) {
    assert.ok(request);
    assert.ok(!request.rawHeaders.some((text) => text.includes('canary')));
    assert.equal(request.headers.accept, 'text/x');
    assert.equal(request.headers['content-type'], 'text/plain;charset=UTF-8');
  }
});

test('TLS is trusted for the name of the host alone', async () => {
  const authority = await createAuthority();
  const identity = await authority.certify('localhost', 'good.test', '127.0.0.1');
  const server = await serveHttp((_request, response) => response.end('tls'), identity);
  const at = (host: string) => `${host}:${server.port}`;
  const hosts = ['localhost', 'good.test', 'bad.test', '127.0.0.1'].map(at);
  const resolve = async () => [{ address: '127.0.0.1' }];
  const fetch = guarded({ hosts }, { ca: authority.ca, resolve });
  for (const host of ['localhost', 'good.test', 'good.test.', '127.0.0.1']) {
    assert.equal(await (await fetch(`https://${at(host)}/`)).text(), 'tls', host);
  }
  assert.equal((await failureOf(fetch(`https://${at('bad.test')}/`))).code, 'tls-failed');

  const nameless = await serveHttp(
    (_request, response) => response.end(),
    await authority.certify('good.test'),
  );
  const byAddress = `127.0.0.1:${nameless.port}`;
  const direct = guarded({ hosts: [byAddress] }, { ca: authority.ca });
  assert.equal((await failureOf(direct(`https://${byAddress}/`))).code, 'tls-failed');

  const strangers = guarded({ hosts }, { resolve });
  const kept = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    assert.equal((await failureOf(strangers(`https://${at('good.test')}/`))).code, 'tls-failed');
  } finally {
    if (kept === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = kept;
  }
  const other = await createAuthority();
  const misled = guarded({ hosts }, { ca: other.ca, resolve });
  assert.equal((await failureOf(misled(`https://${at('good.test')}/`))).code, 'tls-failed');
  assert.equal(server.requests.length, 4);
});

test('a redirect from https to http is judged by the scheme', async () => {
  const authority = await createAuthority();
  const identity = await authority.certify('secure.test');
  const plain = await serveHttp((_request, response) => response.end('plain'));
  const server = await serveHttp((_request, response) => {
    response.writeHead(301, { location: `http://secure.test:${plain.port}/` });
    response.end();
  }, identity);
  const hosts = [`secure.test:${server.port}`, `secure.test:${plain.port}`];
  const url = `https://secure.test:${server.port}/`;
  const options = { ca: authority.ca, resolve: async () => [{ address: '127.0.0.1' }] };
  const loopback = guarded({ hosts }, options);
  assert.equal(await (await loopback(url)).text(), 'plain');
  // Any other address of the same name is out of reach without TLS.
  let asked = 0;
  const moves = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '8.8.8.8' }];
  const fetch = guarded({ hosts }, { ca: authority.ca, resolve: moves });
  assert.deepEqual(await failureOf(fetch(url)), { code: 'scheme-refused', wasSent: true });
});

test('a request is bounded before anything of it is sent', async () => {
  const server = await serveHttp((_request, response) => response.end());
  const url = `http://localhost:${server.port}/`;
  const fetch = guarded({ hosts: [`localhost:${server.port}`], requestBytes: 2_000 });
  await fetch(url, { method: 'POST', body: 'x'.repeat(1_000) });
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(500)),
  });
  const tooLarge: [string, RequestInit][] = [
    [url, { method: 'POST', body: 'x'.repeat(2_001) }],
    [`${url}?${'x'.repeat(2_000)}`, {}],
    [url, { headers: { 'x-long': 'x'.repeat(2_000) } }],
    [url, { method: 'POST', body: endless, duplex: 'half' } as RequestInit],
  ];
  for (const [input, init] of tooLarge) {
    const failure = await failureOf(fetch(input, init));
    assert.deepEqual(failure, { code: 'too-large', wasSent: false });
  }
  assert.equal(server.requests.length, 1);
});

test('a response is bounded as it comes and once decompressed', async () => {
  const zeros = Buffer.alloc(20_000_000);
  const bombs: Record<string, Buffer> = {
    gzip: gzipSync(zeros),
    deflate: deflateSync(zeros),
    br: brotliCompressSync(Buffer.alloc(5_000_000)),
    'gzip, gzip': gzipSync(gzipSync(zeros)),
  };
  const server = await serveHttp((request, response) => {
    const coding = decodeURIComponent(request.url?.slice(1) ?? '');
    response.writeHead(200, { 'content-encoding': coding });
    response.end(coding === 'identity' ? zeros : bombs[coding]);
  });
  const fetch = guarded({ hosts: [`localhost:${server.port}`] });
  for (const coding of [...Object.keys(bombs), 'identity']) {
    const failure = await failureOf(
      fetch(`http://localhost:${server.port}/${encodeURIComponent(coding)}`),
    );
    assert.deepEqual(failure, { code: 'too-large', wasSent: true }, coding);
  }
  const exact = guarded({ hosts: [`localhost:${server.port}`], responseBytes: zeros.length });
  const response = await exact(`http://localhost:${server.port}/gzip`);
  assert.equal((await response.arrayBuffer()).byteLength, zeros.length);
});

test('an endless body, endless headers and endless trailers are cut off', async () => {
  const endless = (start: string, piece: string) =>
    serveRaw((socket) => {
      socket.once('data', () => {
        socket.write(start);
        const pour = () => {
          while (!socket.destroyed && socket.write(piece));
          if (!socket.destroyed) socket.once('drain', pour);
        };
        pour();
      });
    });
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  const ok = 'HTTP/1.1 200 OK\r\n';
  const servers = [
    await endless(`${ok}transfer-encoding: chunked\r\n\r\n`, chunk),
    await endless(`${ok}\r\n`, chunk),
    await endless(ok, 'x-more: 1234567890\r\n'),
    await endless(`${ok}x-more: `, 'x'.repeat(1_000)),
    await endless(`${ok}transfer-encoding: chunked\r\n\r\n0\r\n`, 'x-more: 1234567890\r\n'),
    await endless('', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
  ];
  for (const [i, { port }] of servers.entries()) {
    let bytes = 0;
    const onBytes = (count: number) => {
      bytes += count;
      if (bytes > 10_000_000) assert.fail('more was read than is granted');
    };
    const fetch = guarded({ hosts: [`localhost:${port}`] }, { onBytes });
    const signal = AbortSignal.timeout(5_000);
    const { code } = await failureOf(fetch(`http://localhost:${port}/`, { signal }));
    assert.equal(code, 'too-large', `server ${i}`);
    await fetch.close();
  }
});

test('a body that is shorter than its length is no body, one that is longer ends where it should', async () => {
  const short = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');
  const long = await serveBytes(
    'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlongHTTP/1.1 200 OK\r\n\r\n',
  );
  const cut = await serveBytes('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab');
  const hosts = [short, long, cut].map(({ port }) => `localhost:${port}`);
  const fetch = guarded({ hosts });
  const url = ({ port }: { port: number }) => `http://localhost:${port}/`;
  assert.equal((await failureOf(fetch(url(short)))).code, 'connection-reset');
  assert.equal((await failureOf(fetch(url(cut)))).code, 'connection-reset');
  assert.equal(await (await fetch(url(long))).text(), 'long');
  // What came after the body is nobody's response.
  assert.equal(await (await fetch(url(long))).text(), 'long');
  assert.equal(long.connections(), 2);
});

test('what is no HTTP is an invalid response', async () => {
  const answers: Record<string, string> = {
    garbage: '220 ftp ready\r\n\r\n',
    lengths: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy',
    both: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    negative: 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
    chunk: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    status: 'HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n',
    brotli: 'HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 5\r\n\r\nzzzzz',
    gzip: 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain',
  };
  for (const [name, answer] of Object.entries(answers)) {
    const server = await serveBytes(answer);
    const fetch = guarded({ hosts: [`localhost:${server.port}`] });
    const { code } = await failureOf(fetch(`http://localhost:${server.port}/`));
    assert.equal(code, 'invalid-response', name);
  }
});

test('failures of the network are told apart', async () => {
  const reset = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const mute = await serveRaw((socket) => socket.end());
  const closed = await closedPort();
  const hosts = [reset.port, mute.port, closed].map((port) => `localhost:${port}`);
  const missing = Object.assign(new Error('hunter2'), { code: 'ENOTFOUND' });
  const fetch = guarded(
    { hosts: [...hosts, 'missing.test'] },
    { resolve: () => Promise.reject(missing) },
  );
  const code = async (host: string) => (await failureOf(fetch(`http://${host}/`))).code;
  assert.equal(await code(`localhost:${reset.port}`), 'connection-reset');
  assert.equal(await code(`localhost:${mute.port}`), 'connection-reset');
  assert.equal(await code(`localhost:${closed}`), 'connection-refused');
  assert.equal(await code('missing.test'), 'dns-failed');
});

test('it is cancelled before it connects, while it waits and while it reads', async () => {
  const silent = await serveRaw(() => undefined);
  const slow = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx', false);
  const hosts = [`localhost:${silent.port}`, `localhost:${slow.port}`, 'never.test'];
  const fetch = guarded({ hosts }, { resolve: () => new Promise(() => undefined) });
  const isReason = (reason: unknown) => (error: unknown) => error === reason;

  const done = AbortSignal.abort(new Error('before'));
  await assert.rejects(
    fetch(`http://localhost:${silent.port}/`, { signal: done }),
    isReason(done.reason),
  );
  assert.equal(silent.connections(), 0);

  for (const host of [`localhost:${silent.port}`, 'never.test']) {
    const waiting = new AbortController();
    const request = fetch(`http://${host}/`, { signal: waiting.signal });
    setTimeout(() => waiting.abort(new Error('waiting')), 50);
    await assert.rejects(request, (error) => error === waiting.signal.reason, host);
  }

  const reading = new AbortController();
  const response = await fetch(`http://localhost:${slow.port}/`, { signal: reading.signal });
  setTimeout(() => reading.abort(new Error('reading')), 50);
  await assert.rejects(response.text(), (error) => error === reading.signal.reason);
});

test('close ends what is under way', async () => {
  const slow = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx', false);
  const fetch = guarded({ hosts: [`localhost:${slow.port}`] });
  const response = await fetch(`http://localhost:${slow.port}/`);
  const [read] = await Promise.allSettled([response.text(), fetch.close()]);
  assert.equal(read.status, 'rejected');
});

test('it tells of the bytes that go out and come in, compressed where they are', async () => {
  const body = gzipSync(Buffer.alloc(50_000));
  const server = await serveHttp((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(body);
  });
  let bytes = 0;
  const onBytes = (count: number) => {
    bytes += count;
  };
  const fetch = guarded({ hosts: [`localhost:${server.port}`] }, { onBytes });
  await (
    await fetch(`http://localhost:${server.port}/`, { method: 'POST', body: 'x'.repeat(5_000) })
  ).text();
  const heads = bytes - body.length - 5_000;
  assert.ok(heads > 100 && heads < 1_000, `${heads}`);
});
