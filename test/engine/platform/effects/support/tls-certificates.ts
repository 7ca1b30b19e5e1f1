import { generate } from 'selfsigned';

/** What a server proves itself with, in PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority made for a test. */
export interface Authority {
  /** Its certificate, in PEM. */
  readonly ca: string;
  /** Certifies a server under names and IPv4 addresses. */
  certify(...names: string[]): Promise<Identity>;
}

export async function createAuthority(): Promise<Authority> {
  const own = await generate([{ name: 'commonName', value: 'Test Authority' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    ca: own.cert,
    certify: async (...names) => {
      const made = await generate([{ name: 'commonName', value: names[0] ?? 'nobody' }], {
        keyType: 'ec',
        algorithm: 'sha256',
        ca: { key: own.private, cert: own.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', serverAuth: true },
          {
            name: 'subjectAltName',
            altNames: names.map((name) =>
              /^[0-9.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name },
            ),
          },
        ],
      });
      return { key: made.private, cert: made.cert };
    },
  };
}
