import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { httpGrant } from '../../../../engine/governance/grants/http.ts';
import { createGraphqlHandler } from '../../../../engine/platform/node/effects/graphql.ts';
import type { Directive } from '../../../../engine/runtime/types.ts';
import { EFFECT_ID, kindOf, perform, resultOf, secretsOf } from './support/network-requests.ts';
import { serveHttp } from './support/network-servers.ts';

function handlerFor(hosts: string[], methods: string[] = ['POST']) {
  const grant = httpGrant.parse({ hosts, methods, addresses: ['127.0.0.1/32'] });
  const handler = createGraphqlHandler(grant, { secrets: secretsOf({}) });
  after(() => handler.close?.());
  return handler;
}

function query(url: string): Directive {
  return { type: 'graphql_request', url, query: 'query($n: Int) { x(n: $n) }', vars: { n: 3 } };
}

/** What a handler answers to a server that answers `body` with `status`. */
async function answerTo(status: number, body: string, type = 'application/json') {
  const server = await serveHttp((_request, response) => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  });
  const handler = handlerFor([`localhost:${server.port}`]);
  return perform(handler, query(`http://localhost:${server.port}/graphql`));
}

test('a query goes as GraphQL over HTTP says', async () => {
  let body = '';
  const server = await serveHttp(async (request, response) => {
    for await (const chunk of request) body += chunk;
    response.setHeader('content-type', 'application/graphql-response+json');
    response.end('{"data":{"x":4},"extensions":{"cost":1}}');
  });
  const handler = handlerFor([`localhost:${server.port}`]);
  const outcome = await perform(handler, query(`http://localhost:${server.port}/graphql`));
  assert.deepEqual(resultOf(outcome), { status: 200, data: { x: 4 } });
  assert.ok(outcome.kind === 'performed' && (outcome.cost?.bytes ?? 0) > body.length);
  const [request] = server.requests;
  assert.equal(request?.method, 'POST');
  assert.equal(request?.headers['content-type'], 'application/json');
  assert.match(request?.headers.accept ?? '', /application\/graphql-response\+json/);
  assert.equal(request?.headers['idempotency-key'], EFFECT_ID);
  assert.deepEqual(JSON.parse(body), { query: query('').query, variables: { n: 3 } });
});

test('errors are answered beside what there is of the data, with the status', async () => {
  const partial = await answerTo(200, '{"data":{"x":null},"errors":[{"message":"no"}]}');
  assert.deepEqual(resultOf(partial), {
    status: 200,
    data: { x: null },
    errors: [{ message: 'no' }],
  });
  const none = await answerTo(400, '{"errors":[{"message":"syntax"}]}');
  assert.deepEqual(resultOf(none), { status: 400, data: null, errors: [{ message: 'syntax' }] });
});

test('what is no GraphQL response has failed', async () => {
  for (const [status, body, type] of [
    [502, '<html>', 'text/html'],
    [200, '[]', 'application/json'],
    [200, '{}', 'application/json'],
    [200, '{"errors":"no"}', 'application/json'],
    [200, '{"data":', 'application/json'],
    [200, '{"data":1}', 'text/plain'],
  ] as const) {
    assert.equal(kindOf(await answerTo(status, body, type)), 'failed invalid-response', body);
  }
});

test('it is a POST, which the grant must allow, to a host of the grant', async () => {
  const url = 'https://a.test/graphql';
  const readOnly = handlerFor(['a.test'], ['GET']);
  assert.equal(readOnly.judge?.(query(url))?.code, 'method-not-granted');
  assert.equal(kindOf(await perform(readOnly, query(url))), 'refused method-not-granted');
  const handler = handlerFor(['a.test']);
  assert.equal(handler.judge?.(query(url)), undefined);
  assert.equal(handler.judge?.(query('https://b.test/'))?.code, 'host-not-granted');
  assert.equal(handler.isRepeatable?.(query(url)) ?? false, false);
  for (const missing of [
    { url, query: 'q' },
    { url, vars: {} },
    { query: 'q', vars: [] },
  ]) {
    const outcome = await perform(handler, { type: 'graphql_request', ...missing });
    assert.equal(kindOf(outcome), 'refused invalid-request');
  }
});
