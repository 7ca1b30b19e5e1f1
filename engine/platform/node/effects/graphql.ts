import { isJsonObject } from '../../../encoding/json.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  failed,
  performed,
  type Refusal,
  refused,
} from '../../../governance/effect.ts';
import type { HttpGrant } from '../../../governance/grants/http.ts';
import type { Directive } from '../../../runtime/types.ts';
import { decodeResponseBody, encodeRequestBody } from './network/http-body.ts';
import { type Asked, createHttpEffects, type HttpOptions } from './network/http-effects.ts';

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/**
 * Performs `graphql_request` under a grant: a POST of `{ query, variables }` as JSON, to which the grant
 * must allow `POST`, with the id of the effect as `Idempotency-Key` (GraphQL over HTTP).
 *
 * Answers `{ status, data, errors? }`, whatever the status, as long as the endpoint speaks GraphQL:
 * `data` is null where the response has none. Costs as {@link createHttpHandler} says.
 *
 * Refuses and fails with the codes of {@link createHttpHandler}; a response that is not GraphQL is
 * `invalid-response`.
 * @throws {TypeError} for a host or a block of addresses of the grant that is none.
 */
export function createGraphqlHandler(grant: HttpGrant, options: HttpOptions): EffectHandler {
  const effects = createHttpEffects(grant, options);
  return {
    tags: ['graphql_request'],
    capability: 'net.http',
    judge: (directive) => {
      const asked = readRequest(directive);
      return 'code' in asked ? asked : effects.judge(asked);
    },
    perform: async (request) => {
      const asked = readRequest(request.directive);
      if ('code' in asked) return refused(asked.code, asked.message);
      return effects.perform(request, asked, answer);
    },
    close: effects.close,
  };
}

function readRequest({ url, query, vars }: Directive): Asked | Refusal {
  if (typeof url !== 'string' || typeof query !== 'string' || !isJsonObject(vars)) {
    return { code: 'invalid-request', message: 'a graphql_request needs a url, a query and vars' };
  }
  const body = encodeRequestBody({ query, variables: vars });
  return { method: 'POST', url, accept: ACCEPT, body };
}

function answer(response: Response, bytes: Uint8Array): EffectOutcome {
  const { status, headers } = response;
  const body = decodeResponseBody(bytes, headers.get('content-type'));
  const isGraphql = isJsonObject(body) && (body.data !== undefined || Array.isArray(body.errors));
  if (!isGraphql) {
    return failed('invalid-response', `the endpoint answered ${status} without a GraphQL response`);
  }
  const { data = null, errors } = body;
  return performed({ status, data, ...(errors !== undefined && { errors }) });
}
