import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { JsonValue } from '../../../../engine/encoding/json.ts';
import { type HttpGrant, httpGrant } from '../../../../engine/governance/grants/http.ts';
import { createHttpHandler } from '../../../../engine/platform/node/effects/http.ts';
import type { HttpOptions } from '../../../../engine/platform/node/effects/network/http-effects.ts';
import type { Directive } from '../../../../engine/runtime/types.ts';
import { EFFECT_ID, kindOf, perform, resultOf, secretsOf } from './support/network-requests.ts';
import { closedPort, serveBytes, serveHttp, serveRaw } from './support/network-servers.ts';
import { createAuthority } from './support/tls-certificates.ts';

const CANARY = 'canary-5f0c2a8e';

function handlerFor(
  grant: Partial<HttpGrant> & { hosts: string[] },
  options: Partial<HttpOptions> = {},
) {
  const parsed = httpGrant.parse({
    addresses: ['127.0.0.1/32'],
    methods: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'],
    ...grant,
  });
  const handler = createHttpHandler(parsed, { secrets: secretsOf({}), ...options });
  after(() => handler.close?.());
  return handler;
}

function request(url: string, method = 'GET', body?: JsonValue): Directive {
  return { type: 'http_request', method, url, ...(body !== undefined && { body }) };
}

test('a response is answered as status, headers and body', async () => {
  const server = await serveHttp((_request, response) => {
    response.writeHead(404, {
      'Content-Type': 'application/problem+json; charset=utf-8',
      'X-Twice': ['a', 'b'],
      'Set-Cookie': ['session=1', 'other=2'],
    });
    response.end('{"title":"none","n":[1]}');
  });
  const handler = handlerFor({ hosts: [`localhost:${server.port}`] });
  const outcome = await perform(handler, request(`http://localhost:${server.port}/`));
  const { status, headers, body } = resultOf(outcome);
  assert.equal(status, 404);
  assert.deepEqual(body, { title: 'none', n: [1] });
  assert.ok(typeof headers === 'object' && headers !== null && !Array.isArray(headers));
  const found = new Map(Object.entries(headers));
  assert.equal(found.get('x-twice'), 'a, b');
  assert.equal(found.get('content-type'), 'application/problem+json; charset=utf-8');
  assert.ok(!found.has('set-cookie'));
});

test('a body is a JSON value, text, or base64, as its type and its bytes say', async () => {
  const cases: [string | undefined, Buffer | string, JsonValue][] = [
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/vnd.x+json', '[1,null]', [1, null]],
    ['application/json', '{"a":1,"a":2}', '{"a":1,"a":2}'],
    ['application/json', '{"a":', '{"a":'],
    ['application/json', '1e999', '1e999'],
    ['application/json', '', ''],
    [
      'application/json',
      `${'['.repeat(300)}${']'.repeat(300)}`,
      `${'['.repeat(300)}${']'.repeat(300)}`,
    ],
    ['application/json', Buffer.from([0xff, 0xfe]), { base64: '//4=' }],
    ['text/plain', 'grün', 'grün'],
    ['text/html; charset="iso-8859-1"', Buffer.from([0x67, 0xfc]), 'gü'],
    ['text/plain; charset=unheard-of', 'x', { base64: 'eA==' }],
    ['text/plain', Buffer.from([0x80]), { base64: 'gA==' }],
    ['application/xml', '<a/>', '<a/>'],
    [
      'image/png',
      'text all the same',
      { base64: Buffer.from('text all the same').toString('base64') },
    ],
    ['application/octet-stream', Buffer.from([0, 1, 2]), { base64: 'AAEC' }],
    [undefined, 'plain', 'plain'],
    [undefined, Buffer.from([0xc3, 0x28]), { base64: 'wyg=' }],
  ];
  const server = await serveHttp((request, response) => {
    const [type, body] = cases[Number(request.url?.slice(1))] ?? [undefined, ''];
    if (type !== undefined) response.setHeader('content-type', type);
    response.end(body);
  });
  const handler = handlerFor({ hosts: [`localhost:${server.port}`] });
  for (const [i, [type, , expected]] of cases.entries()) {
    const outcome = await perform(handler, request(`http://localhost:${server.port}/${i}`));
    assert.deepEqual(resultOf(outcome).body, expected, `${type} ${i}`);
  }
});

test('a request says what it carries, and which effect it is', async () => {
  const server = await serveHttp(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify([
        request.method,
        request.headers['content-type'] ?? '',
        text,
        request.headers['idempotency-key'] ?? '',
      ]),
    );
  });
  const url = `http://localhost:${server.port}/`;
  const handler = handlerFor({ hosts: [`localhost:${server.port}`] });
  const send = async (method: string, body?: JsonValue) =>
    resultOf(await perform(handler, request(url, method, body))).body;
  const text = 'text/plain;charset=UTF-8';
  const json = 'application/json';
  assert.deepEqual(await send('GET'), ['GET', '', '', '']);
  assert.deepEqual(await send('GET', null), ['GET', '', '', '']);
  assert.deepEqual(await send('POST'), ['POST', '', '', EFFECT_ID]);
  assert.deepEqual(await send('POST', 'a{b'), ['POST', text, 'a{b', EFFECT_ID]);
  assert.deepEqual(await send('POST', '12'), ['POST', text, '12', EFFECT_ID]);
  assert.deepEqual(await send('POST', '{"a":1}'), ['POST', json, '{"a":1}', EFFECT_ID]);
  assert.deepEqual(await send('PATCH', { a: 'ü' }), ['PATCH', json, '{"a":"ü"}', EFFECT_ID]);
  assert.deepEqual(await send('PUT', false), ['PUT', json, 'false', '']);
  assert.deepEqual(await send('DELETE', []), ['DELETE', json, '[]', '']);
});

test('only what may be done twice without harm is repeatable', () => {
  const handler = handlerFor({ hosts: ['a.test'] });
  const repeatable = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'].filter((method) =>
    handler.isRepeatable?.(request('https://a.test/', method)),
  );
  assert.deepEqual(repeatable, ['GET', 'PUT', 'DELETE']);
});

test('what the grant does not cover is refused before anything is done', async () => {
  const handler = handlerFor({
    hosts: ['a.test', '10.0.0.1'],
    methods: ['GET', 'POST'],
    requestBytes: 200,
  });
  const cases: [Directive, string][] = [
    [request('https://b.test/'), 'host-not-granted'],
    [request('https://a.test:8443/'), 'host-not-granted'],
    [request('https://a.test/', 'DELETE'), 'method-not-granted'],
    [request('https://a.test/', 'get'), 'method-not-granted'],
    [request('https://u:p@a.test/'), 'userinfo-refused'],
    [request('ftp://a.test/'), 'scheme-refused'],
    [request('a.test'), 'invalid-url'],
    [request('https://10.0.0.1/'), 'address-refused'],
    [request('https://a.test/', 'GET', 'body'), 'invalid-request'],
    [request('https://a.test/', 'POST', 'x'.repeat(200)), 'too-large'],
    [request(`https://a.test/${'x'.repeat(200)}`), 'too-large'],
    [{ type: 'http_request', url: 'https://a.test/' }, 'invalid-request'],
    [{ type: 'http_request', method: 'GET', url: 7 }, 'invalid-request'],
  ];
  for (const [directive, code] of cases) {
    assert.equal(handler.judge?.(directive)?.code, code, JSON.stringify(directive));
    assert.equal(kindOf(await perform(handler, directive)), `refused ${code}`);
  }
  assert.equal(handler.judge?.(request('https://a.test/')), undefined);
});

test('a refusal for what a name leads to is the same however often', async () => {
  const resolve = async () => [{ address: '10.0.0.1' }, { address: '10.0.0.2' }];
  const handler = handlerFor({ hosts: ['inside.test'] }, { resolve });
  const outcomes = [
    await perform(handler, request('https://inside.test/')),
    await perform(handler, request('https://inside.test/')),
  ];
  assert.equal(
    kindOf(await perform(handler, request('https://inside.test/'))),
    'refused address-refused',
  );
  assert.deepEqual(outcomes[0], outcomes[1]);
});

test('a redirect that the grant does not cover has failed, for something was sent', async () => {
  const inside = await serveHttp((_request, response) => response.end('inside'));
  const server = await serveHttp((request, response) => {
    const targets: Record<string, string> = {
      '/host': `http://127.0.0.1:${inside.port}/`,
      '/address': 'http://169.254.169.254/latest/meta-data/iam',
      '/circle': '/circle',
    };
    response.writeHead(302, { location: targets[request.url ?? ''] ?? '/fine' });
    response.end();
  });
  const handler = handlerFor({ hosts: [`localhost:${server.port}`, '169.254.169.254'] });
  const at = (path: string) => perform(handler, request(`http://localhost:${server.port}${path}`));
  assert.equal(kindOf(await at('/host')), 'failed host-not-granted');
  assert.equal(kindOf(await at('/address')), 'failed address-refused');
  assert.equal(kindOf(await at('/circle')), 'failed too-many-redirects');
  assert.equal(inside.connections(), 0);
});

test('a redirect does not lead to a method that is not granted', async () => {
  const server = await serveHttp((_request, response) => {
    response.writeHead(303, { location: '/' });
    response.end();
  });
  const handler = handlerFor({ hosts: [`localhost:${server.port}`], methods: ['POST'] });
  const outcome = await perform(handler, request(`http://localhost:${server.port}/`, 'POST', 'x'));
  assert.equal(kindOf(outcome), 'failed method-not-granted');
  assert.deepEqual(
    server.requests.map(({ method }) => method),
    ['POST'],
  );
});

test('failures are data, with a code and one line', async () => {
  const authority = await createAuthority();
  const tls = await serveHttp(
    (_request, response) => response.end(),
    await authority.certify('other.test'),
  );
  const reset = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const garbage = await serveBytes('what?\r\n\r\n');
  const large = await serveHttp((_request, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(Buffer.alloc(1_000_000)));
  });
  const closed = await closedPort();
  const ports = [tls.port, reset.port, garbage.port, large.port, closed];
  const handler = handlerFor(
    {
      hosts: [...ports.map((port) => `localhost:${port}`), 'missing.test'],
      responseBytes: 100_000,
    },
    {
      ca: authority.ca,
      resolve: () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })),
    },
  );
  const at = async (url: string) => kindOf(await perform(handler, request(url)));
  assert.equal(await at('https://missing.test/'), 'failed dns-failed');
  assert.equal(await at(`http://localhost:${closed}/`), 'failed connection-refused');
  assert.equal(await at(`https://localhost:${tls.port}/`), 'failed tls-failed');
  assert.equal(await at(`http://localhost:${reset.port}/`), 'failed connection-reset');
  assert.equal(await at(`http://localhost:${garbage.port}/`), 'failed invalid-response');
  assert.equal(await at(`http://localhost:${large.port}/`), 'failed too-large');
});

test('a request over TLS arrives', async () => {
  const authority = await createAuthority();
  const server = await serveHttp(
    (_request, response) => response.end('tls'),
    await authority.certify('localhost'),
  );
  const handler = handlerFor({ hosts: [`localhost:${server.port}`] }, { ca: authority.ca });
  const outcome = await perform(handler, request(`https://localhost:${server.port}/`));
  assert.equal(resultOf(outcome).body, 'tls');
});

test('what takes too long is a timeout, in every phase', async () => {
  const silent = await serveRaw(() => undefined);
  const drip = await serveRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write('x-drip: 1\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const body = await serveRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const hosts = [silent, drip, body].map(({ port }) => `localhost:${port}`);
  const handler = handlerFor(
    { hosts: [...hosts, 'never.test'], timeoutMs: 200 },
    { resolve: () => new Promise(() => undefined) },
  );
  for (const host of hosts) {
    assert.equal(
      kindOf(await perform(handler, request(`http://${host}/`))),
      'failed timeout',
      host,
    );
  }
  assert.equal(kindOf(await perform(handler, request('https://never.test/'))), 'failed timeout');
});

test('it is cancelled in every phase', async () => {
  const silent = await serveRaw(() => undefined);
  const body = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx', false);
  const hosts = [silent, body].map(({ port }) => `localhost:${port}`);
  const handler = handlerFor(
    {
      hosts: [...hosts, 'never.test', 'secret.test'],
      headers: [{ host: 'secret.test', name: 'x', prefix: '', value: { secret: 'SLOW' } }],
    },
    {
      resolve: () => new Promise(() => undefined),
      secrets: { get: () => new Promise(() => undefined) },
    },
  );
  const early = await perform(handler, request(`http://localhost:${silent.port}/`), {
    signal: AbortSignal.abort(),
  });
  assert.equal(kindOf(early), 'failed cancelled');
  assert.equal(silent.connections(), 0);
  const urls = [
    ...hosts.map((host) => `http://${host}/`),
    'https://never.test/',
    'https://secret.test/',
  ];
  for (const url of urls) {
    const outcome = await perform(handler, request(url), { signal: AbortSignal.timeout(80) });
    assert.equal(kindOf(outcome), 'failed cancelled', url);
  }
});

test('a secret goes to its host and nowhere else', async () => {
  const authority = await createAuthority();
  const identity = await authority.certify('api.test', 'other.test', 'sub.api.test');
  const other = await serveHttp((request, response) => {
    if (request.url === '/home')
      response.writeHead(307, { location: `https://api.test:${home.port}/end` });
    response.end('other');
  }, identity);
  const home = await serveHttp((request, response) => {
    if (request.url === '/away')
      response.writeHead(307, { location: `https://other.test:${other.port}/` });
    if (request.url === '/same') response.writeHead(302, { location: '/end' });
    response.end('home');
  }, identity);
  const hosts = [`api.test:${home.port}`, `sub.api.test:${home.port}`, `other.test:${other.port}`];
  const handler = handlerFor(
    {
      hosts,
      headers: [
        {
          host: hosts[0] ?? '',
          name: 'Authorization',
          prefix: 'Bearer ',
          value: { secret: 'KEY' },
        },
        { host: hosts[0] ?? '', name: 'User-Agent', prefix: '', value: { secret: 'KEY' } },
      ],
    },
    {
      ca: authority.ca,
      resolve: async () => [{ address: '127.0.0.1' }],
      secrets: secretsOf({ KEY: CANARY }),
    },
  );
  const get = async (url: string) => perform(handler, request(url, 'POST', 'b'));
  const carries = (seen: typeof home.requests) =>
    seen.map(
      ({ url, rawHeaders }) =>
        `${url} ${rawHeaders.filter((text) => text.includes(CANARY)).join()}`,
    );
  const outcomes = [
    await get(`https://api.test:${home.port}/same`),
    await get(`https://api.test:${home.port}/away`),
    await get(`https://other.test:${other.port}/home`),
    await get(`https://sub.api.test:${home.port}/sub`),
  ];
  const both = `Bearer ${CANARY},${CANARY}`;
  assert.deepEqual(carries(home.requests), [
    `/same ${both}`,
    `/end ${both}`,
    `/away ${both}`,
    '/end ',
    '/sub ',
  ]);
  assert.deepEqual(carries(other.requests), ['/ ', '/home ']);
  assert.ok(outcomes.every(({ kind }) => kind === 'performed'));
  assert.ok(!JSON.stringify(outcomes).includes(CANARY));
});

test('a secret is not shown over http, unless its host is written with the port', async () => {
  const server = await serveHttp((_request, response) => response.end());
  const host = `localhost:${server.port}`;
  const header = { name: 'x-key', prefix: '', value: { secret: 'KEY' } };
  const handler = handlerFor(
    {
      hosts: ['a.test', host],
      plainHttp: true,
      headers: [
        { host: 'a.test', ...header },
        { host, ...header },
      ],
    },
    { secrets: secretsOf({ KEY: CANARY }) },
  );
  const outcome = await perform(handler, request('http://a.test/'));
  assert.equal(kindOf(outcome), 'refused scheme-refused');
  resultOf(await perform(handler, request(`http://${host}/`)));
  assert.equal(server.requests[0]?.headers['x-key'], CANARY);
});

test('a secret that is missing, or that no header can hold, is told by its name', async () => {
  const server = await serveHttp((_request, response) => response.end());
  const host = `localhost:${server.port}`;
  const headers = [{ host, name: 'x-key', prefix: 'Key ', value: { secret: 'KEY' } }];
  const url = `http://${host}/`;
  const failing = { get: () => Promise.reject(new Error(CANARY)) };
  for (const [secrets, code] of [
    [secretsOf({}), 'secret-missing'],
    [failing, 'secret-missing'],
    [secretsOf({ KEY: `${CANARY}\r\nx-evil: 1` }), 'secret-malformed'],
    [secretsOf({ KEY: `${CANARY}✓` }), 'secret-malformed'],
  ] as const) {
    const handler = handlerFor({ hosts: [host], headers }, { secrets });
    const outcome = await perform(handler, request(url));
    assert.equal(kindOf(outcome), `refused ${code}`);
    assert.ok(outcome.kind === 'refused' && outcome.message.includes('"KEY"'));
    assert.ok(!JSON.stringify(outcome).includes(CANARY));
  }
  assert.equal(server.requests.length, 0);
});

test('no failure tells a secret', async () => {
  const garbage = await serveRaw((socket) => socket.once('data', (data) => socket.end(data)));
  const closed = await closedPort();
  for (const port of [garbage.port, closed]) {
    const host = `localhost:${port}`;
    const handler = handlerFor(
      { hosts: [host], headers: [{ host, name: 'x-key', prefix: '', value: { secret: 'KEY' } }] },
      { secrets: secretsOf({ KEY: CANARY }) },
    );
    const outcome = await perform(handler, request(`http://${host}/`));
    assert.equal(outcome.kind, 'failed');
    assert.ok(!JSON.stringify(outcome).includes(CANARY));
  }
});

test('what goes out and comes in is counted and bounded by what is left of the budget', async () => {
  const server = await serveHttp((request, response) => {
    if (request.url === '/loop') {
      response.writeHead(307, { location: '/loop' });
      response.end('x'.repeat(1_000));
    } else response.end('x'.repeat(5_000));
  });
  const host = `localhost:${server.port}`;
  const handler = handlerFor({ hosts: [host] });
  const get = (path: string, bytes: number) =>
    perform(handler, request(`http://${host}${path}`, 'POST', 'y'.repeat(1_000)), {
      allowance: { bytes },
    });
  const whole = await get('/', 10_000);
  assert.equal(whole.kind, 'performed');
  const used = whole.kind === 'performed' ? (whole.cost?.bytes ?? 0) : 0;
  assert.ok(used > 6_000 && used < 7_000, `${used}`);
  resultOf(await get('/', used));

  const short = await get('/', used - 1);
  assert.equal(kindOf(short), 'failed bytes-exhausted');
  assert.equal(kindOf(await get('/', 500)), 'refused bytes-exhausted');
  assert.equal(server.requests.length, 3);
  const looping = await get('/loop', 4_000);
  assert.equal(kindOf(looping), 'failed bytes-exhausted');
  assert.ok(looping.kind === 'failed' && (looping.cost?.bytes ?? 0) > 1_000);
});

test('a failure costs what was used until then', async () => {
  const server = await serveBytes(
    `HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n${'x'.repeat(3_000)}`,
  );
  const host = `localhost:${server.port}`;
  const outcome = await perform(handlerFor({ hosts: [host] }), request(`http://${host}/`));
  assert.equal(kindOf(outcome), 'failed connection-reset');
  assert.ok(outcome.kind === 'failed' && (outcome.cost?.bytes ?? 0) > 3_000);
});

test('a grant that names no host, or no block of addresses, is not read', () => {
  const isRead = (grant: unknown) => httpGrant.safeParse(grant).success;
  assert.ok(isRead({ hosts: ['a.test', '*.a.test:81', '[::1]:80'], addresses: ['::1/128'] }));
  for (const host of [
    '*.1.2.3.4',
    'a.test:65536',
    '[::1]x',
    '[1]',
    '999.1.1.1',
    'a..b',
    '*',
    'u@a',
  ]) {
    assert.ok(!isRead({ hosts: [host] }), host);
  }
  for (const block of ['10.0.0.0/33', '010.0.0.0/8', '10/8', 'x']) {
    assert.ok(!isRead({ hosts: [], addresses: [block] }), block);
  }
  const header = (host: string, name: string) => ({
    hosts: ['a.test'],
    headers: [{ host, name, value: { secret: 'KEY' } }],
  });
  assert.ok(isRead(header('a.test', 'x-key')));
  assert.ok(!isRead(header('b.test', 'x-key')));
  assert.ok(!isRead(header('a.test', 'Host')));
});
