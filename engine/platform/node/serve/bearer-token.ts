import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Makes a check whether the `Authorization` header of a request holds a bearer token (RFC 6750). It takes
 * as long for one wrong token as for another.
 */
export function createTokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = digest(token);
  return (header = '') => {
    const given = /^Bearer +(\S+)$/i.exec(header)?.[1];
    return timingSafeEqual(digest(given ?? ''), expected) && given !== undefined;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
