import { displayText } from '../../../../encoding/display.ts';
import { Interrupted } from './deadline.ts';
import { NetworkRefusal } from './network-refusal.ts';

/** How a request or a connection failed, for a person and for a receipt. */
export interface NetworkFailure {
  readonly code: string;
  readonly message: string;
}

interface Kind extends NetworkFailure {
  /** The codes of Node.js, OpenSSL and undici that mean it. */
  readonly causes: RegExp;
}

const KINDS: readonly Kind[] = [
  {
    code: 'dns-failed',
    message: 'the name of the host could not be resolved',
    causes: /^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL|EREFUSED|EBADNAME|EBADRESP|ETIMEOUT)$/,
  },
  {
    code: 'connection-refused',
    message: 'the host refused the connection',
    causes: /^ECONNREFUSED$/,
  },
  {
    code: 'unreachable',
    message: 'the host could not be reached',
    causes: /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EACCES|EPERM)$/,
  },
  {
    code: 'timeout',
    message: 'the host did not answer in time',
    causes: /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/,
  },
  {
    code: 'tls-failed',
    message: 'the host could not be trusted over TLS',
    causes:
      /^(ERR_(TLS|SSL)_\w+|EPROTO|CERT_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED_CERT\w*|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/,
  },
  {
    code: 'too-large',
    message: 'the head of the response is too large',
    causes: /^(UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/,
  },
  {
    code: 'connection-reset',
    message: 'the connection broke off',
    causes:
      /^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|UND_ERR_(DESTROYED|CLOSED|ABORTED)|ERR_STREAM_PREMATURE_CLOSE)$/,
  },
  {
    code: 'invalid-response',
    message: 'the host did not answer as HTTP demands',
    causes: /^(HTTPParserError|HPE_\w+|UND_ERR_RES_\w+|Z_\w+|ERR_(BROTLI_|ZSTD_|_)\w+)$/,
  },
];

/**
 * Says what an error of a guarded request means: a {@link NetworkRefusal} and an {@link Interrupted} by
 * their own codes, others by `dns-failed`, `connection-refused`, `unreachable`, `timeout`, `tls-failed`, `too-large`,
 * `connection-reset`, `invalid-response`, or `network-error`. Only codes are taken from the error:
 * its message may hold what was sent.
 */
export function describeFailure(error: unknown): NetworkFailure {
  if (error instanceof NetworkRefusal || error instanceof Interrupted) {
    return { code: error.code, message: error.message };
  }
  const codes = codesOf(error);
  for (const code of codes) {
    const kind = KINDS.find(({ causes }) => causes.test(code));
    if (kind !== undefined) {
      return { code: kind.code, message: `${kind.message} (${displayText(code, 60)})` };
    }
  }
  const detail = codes[0] === undefined ? '' : ` (${displayText(codes[0], 60)})`;
  return { code: 'network-error', message: `the request failed${detail}` };
}

/** The codes of an error, its causes and the errors that it gathers, the outermost first. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return [];
  // The parser's errors have no code but their name.
  const name = error.name === 'HTTPParserError' ? [error.name] : [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : name;
  const gathered: unknown[] = error instanceof AggregateError ? error.errors.slice(0, 10) : [];
  return [...own, ...[error.cause, ...gathered].flatMap((inner) => codesOf(inner, depth + 1))];
}
