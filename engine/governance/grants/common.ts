import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { secretReference } from '../secret.ts';

/** `HOST`, `*.HOST` or either with `:PORT`; an IPv6 address stands in brackets. */
const HOST =
  /^(?:(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?$/;

export const hosts = z
  .array(
    z
      .string()
      .max(260)
      .regex(HOST, {
        abort: true,
        error: 'a host looks like api.example.com, *.example.com, 127.0.0.1:8080 or [::1]:8080',
      })
      .refine(isHost, {
        error: 'no URL has such a host; "*." stands before a name alone, a port is at most 65535',
      }),
  )
  .max(1000)
  .describe(
    'The hosts that may be reached: `api.example.com`, `*.example.com` (below it, not itself), each with `:PORT` or for the default port.',
  );

/** Whether a URL can have a host that is written so, and there can be hosts below it if it says so. */
function isHost(text: string): boolean {
  const isBelow = text.startsWith('*.');
  const url = `https://${isBelow ? text.slice(2) : text}/`;
  return URL.canParse(url) && !(isBelow && ipaddr.isValid(new URL(url).hostname));
}

const BLOCK = 'a block of addresses looks like 127.0.0.1/32 or fd00::/8';

/** Whether a text is a CIDR block; short and octal forms of IPv4 mean different things to different readers. */
function isBlock(text: string): boolean {
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text);
}

/** CIDR blocks. */
export const addresses = z
  .array(
    z
      .string()
      .max(50)
      .regex(/^[0-9a-f:.]+\/[0-9]{1,3}$/i, { abort: true, error: BLOCK })
      .refine(isBlock, { error: BLOCK }),
  )
  .max(100)
  .default([])
  .describe(
    'Private, loopback and link-local addresses that may be reached all the same, as CIDR blocks: `127.0.0.1/32`. None unless named here.',
  );

/** Headers of HTTP (RFC 9110 section 5), each a text or the name of a secret. */
export const headers = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, { error: 'not the name of a header' }),
  z.union(
    [
      z
        .string()
        .max(4_096)
        .regex(/^[\t\x20-\x7e]*$/),
      secretReference,
    ],
    {
      error: 'a header is a text of ASCII, or the name of a secret: { "secret": "NAME" }',
    },
  ),
);

/** @param fallback in milliseconds. */
export const timeoutMs = (fallback: number) =>
  z
    .int()
    .min(1)
    .max(3_600_000)
    .default(fallback)
    .describe('Milliseconds that one effect may take.');

/** A bound in bytes. */
export const bytes = (fallback: number, doc: string) =>
  z.int().min(0).max(1_073_741_824).default(fallback).describe(doc);

export const path = (doc: string) => z.string().min(1).max(4_096).describe(doc);
