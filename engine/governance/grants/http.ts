import { z } from 'zod';
import { secretReference } from '../secret.ts';
import { addresses, bytes, hosts, timeoutMs } from './common.ts';

/** Headers that the connection itself sets, in small letters: nobody else may. */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What `http_request` and `graphql_request` may do. */
export const httpGrant = z
  .strictObject({
    hosts,
    methods: z
      .array(z.enum(['GET', 'POST', 'PUT', 'DELETE', 'PATCH']))
      .default(['GET'])
      .describe('The methods that may be used; a GraphQL request is a `POST`. `GET` if left out.'),
    plainHttp: z
      .boolean()
      .default(false)
      .describe(
        'Whether `http:` may be used beside `https:`. To a loopback address it always may.',
      ),
    addresses,
    headers: z
      .array(
        z.strictObject({
          host: z
            .string()
            .max(260)
            .describe(
              'The host, as it stands in `hosts`, that it goes to: over `https:` alone, unless it is written with its port.',
            ),
          name: z
            .string()
            .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, { error: 'not the name of a header' })
            .refine((name) => !CONNECTION_HEADERS.has(name.toLowerCase()), {
              error: 'this header is set by the connection itself',
            })
            .describe('The name of the header.'),
          prefix: z.string().max(100).default('').describe('Stands before the secret: `Bearer `.'),
          value: secretReference,
        }),
      )
      .max(100)
      .default([])
      .describe('Headers with secrets, which executors never see.'),
    requestBytes: bytes(1_048_576, 'Bytes that a request may have.'),
    responseBytes: bytes(10_485_760, 'Bytes that a response may have, once decompressed.'),
    redirects: z.int().min(0).max(20).default(5).describe('Redirects that are followed at most.'),
    timeoutMs: timeoutMs(30_000),
  })
  .superRefine(({ hosts: granted, headers }, context) => {
    headers.forEach(({ host }, i) => {
      if (granted.includes(host)) return;
      const message = 'a header with a secret goes to a host that stands in "hosts", written alike';
      context.addIssue({ code: 'custom', path: ['headers', i, 'host'], message });
    });
  })
  .meta({ description: 'HTTP and GraphQL requests.' });

export type HttpGrant = z.infer<typeof httpGrant>;
