import type { JsonObject } from '../../../encoding/json.ts';
import {
  type EffectHandler,
  performed,
  type Refusal,
  refused,
} from '../../../governance/effect.ts';
import type { HttpGrant } from '../../../governance/grants/http.ts';
import type { Directive } from '../../../runtime/types.ts';
import { decodeResponseBody, encodeRequestBody } from './network/http-body.ts';
import { type Asked, createHttpEffects, type HttpOptions } from './network/http-effects.ts';

/** Methods that change nothing more when they are used again (RFC 9110, section 9.2.2). */
const REPEATABLE = new Set(['GET', 'PUT', 'DELETE']);

/**
 * Performs `http_request` under a grant.
 *
 * `body` goes as text where it is one (as JSON, if it is an object or array in JSON), else as JSON;
 * `null` is none, and a GET has none. A POST and a PATCH carry `Idempotency-Key` with the id of the
 * effect. Redirects are followed within the grant, cookies are not kept, nothing is cached.
 *
 * Answers `{ status, headers, body }`, whatever the status: names of headers in small letters, equal
 * ones joined, without `set-cookie`; `body` is the JSON value where the response says JSON, text where
 * it says text or nothing, else `{ "base64": … }`. `content-length` and `content-encoding` are those
 * of the wire. Costs the bytes of heads and bodies, out and in.
 *
 * Refuses, where nothing was sent yet, and else fails with: `invalid-url`, `userinfo-refused`,
 * `scheme-refused`, `host-not-granted`, `address-refused`, `method-not-granted`, `too-large`,
 * `bytes-exhausted`, `too-many-redirects`. Refuses with `invalid-request`, `secret-missing`,
 * `secret-malformed`. Fails with `dns-failed`, `connection-refused`, `unreachable`, `tls-failed`,
 * `connection-reset`, `invalid-response`, `network-error`, `timeout`, `cancelled`.
 * @throws {TypeError} for a host or a block of addresses of the grant that is none.
 */
export function createHttpHandler(grant: HttpGrant, options: HttpOptions): EffectHandler {
  const effects = createHttpEffects(grant, options);
  return {
    tags: ['http_request'],
    capability: 'net.http',
    judge: (directive) => {
      const asked = readRequest(directive);
      return 'code' in asked ? asked : effects.judge(asked);
    },
    isRepeatable: ({ method }) => typeof method === 'string' && REPEATABLE.has(method),
    perform: async (request) => {
      const asked = readRequest(request.directive);
      if ('code' in asked) return refused(asked.code, asked.message);
      return effects.perform(request, asked, (response, body) =>
        performed({
          status: response.status,
          headers: headersOf(response),
          body: decodeResponseBody(body, response.headers.get('content-type')),
        }),
      );
    },
    close: effects.close,
  };
}

function readRequest({ method, url, body }: Directive): Asked | Refusal {
  if (typeof method !== 'string' || typeof url !== 'string') {
    return { code: 'invalid-request', message: 'an http_request needs a method and a url' };
  }
  const encoded = encodeRequestBody(body);
  if (method === 'GET' && encoded !== undefined) {
    return { code: 'invalid-request', message: 'a GET has no body; leave "body" out' };
  }
  return { method, url, accept: '*/*', body: encoded };
}

function headersOf(response: Response): JsonObject {
  return Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'));
}
