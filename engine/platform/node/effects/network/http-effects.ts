import {
  type EffectOutcome,
  type EffectRequest,
  failed,
  type Refusal,
  refused,
} from '../../../../governance/effect.ts';
import type { HttpGrant } from '../../../../governance/grants/http.ts';
import type { Secrets } from '../../../../governance/secret.ts';
import { withDeadline } from './deadline.ts';
import { describeFailure } from './failure.ts';
import { createGuardedClient, type NetworkOptions } from './guarded-client.ts';
import type { RequestBody } from './http-body.ts';
import { methodRefused, NetworkRefusal, tooLarge } from './network-refusal.ts';
import { createSecretHeaders } from './secret-headers.ts';

export interface HttpOptions extends NetworkOptions {
  readonly secrets: Secrets;
}

/** A request as a directive asks for it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly accept: string;
  readonly body: RequestBody | undefined;
}

/** Performs effects that are one HTTP request, with the redirects that follow, under a grant. */
export interface HttpEffects {
  /** Says why the grant does not cover a request, as far as the request alone tells. */
  judge(asked: Asked): Refusal | undefined;
  /**
   * Sends a request, reads the response whole, and answers what `answer` makes of it, with the cost.
   * Never rejects.
   */
  perform(
    request: EffectRequest,
    asked: Asked,
    answer: (response: Response, body: Uint8Array) => EffectOutcome,
  ): Promise<EffectOutcome>;
  close(): Promise<void>;
}

/** Methods that a server may have performed twice without harm only if it is told so. */
const NEEDS_KEY = new Set(['POST', 'PATCH']);

/** @throws {TypeError} for a host or a block of addresses of the grant that is none. */
export function createHttpEffects(
  grant: HttpGrant,
  { secrets, ...options }: HttpOptions,
): HttpEffects {
  const client = createGuardedClient(grant, options);
  const secretHeaders = createSecretHeaders(grant.headers, secrets);

  const judge = ({ method, url: text, body }: Asked): Refusal | undefined => {
    try {
      if (!grant.methods.some((granted) => granted === method)) throw methodRefused(method, false);
      const url = client.judge(text);
      if (url.href.length + (body?.bytes.length ?? 0) > grant.requestBytes) {
        throw tooLarge('request', grant.requestBytes, false);
      }
      return secretHeaders.judge(url);
    } catch (error) {
      return describeFailure(error);
    }
  };

  const perform: HttpEffects['perform'] = async (request, asked, answer) => {
    const refusal = judge(asked);
    if (refusal !== undefined) return refused(refusal.code, refusal.message);
    const { method, body } = asked;
    const meter = client.meter(request.allowance.bytes);
    const exchange = async (signal: AbortSignal): Promise<EffectOutcome> => {
      const url = client.judge(asked.url);
      const headers = new Headers({ accept: asked.accept, 'user-agent': 'touchstone' });
      if (body !== undefined) headers.set('content-type', body.contentType);
      if (NEEDS_KEY.has(method)) headers.set('idempotency-key', request.effectId);
      const secret = await secretHeaders.addTo(headers, url);
      if ('code' in secret) return refused(secret.code, secret.message);
      const response = await client.send(
        { url, method, headers, body: body?.bytes, secretHeaders: secret },
        { redirect: 'follow', signal, meter, methods: grant.methods },
      );
      return answer(response, new Uint8Array(await response.arrayBuffer()));
    };
    try {
      const outcome = await withDeadline(request.signal, grant.timeoutMs, exchange);
      return outcome.kind === 'refused' ? outcome : { ...outcome, cost: { bytes: meter.bytes } };
    } catch (error) {
      const { code, message } = describeFailure(error);
      return error instanceof NetworkRefusal && !error.wasSent
        ? refused(code, message)
        : failed(code, message, { bytes: meter.bytes });
    }
  };

  return { judge, perform, close: client.close };
}
