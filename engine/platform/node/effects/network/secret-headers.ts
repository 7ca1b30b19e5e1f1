import { displayText } from '../../../../encoding/display.ts';
import type { Refusal } from '../../../../governance/effect.ts';
import type { HttpGrant } from '../../../../governance/grants/http.ts';
import type { Secrets } from '../../../../governance/secret.ts';
import { matchesHost, parseHostRule } from './host-rule.ts';

type SecretHeader = HttpGrant['headers'][number];

/** The headers with secrets of a grant, each for its host alone. */
export interface SecretHeaders {
  /** Says why the secrets of a host may not go to a URL. */
  judge(url: URL): Refusal | undefined;
  /**
   * Adds to `headers` those that go to the host of `url`, and answers their names in small letters.
   * A secret that is missing, or that no header can hold, is a refusal.
   */
  addTo(headers: Headers, url: URL): Promise<ReadonlySet<string> | Refusal>;
}

/** @throws {TypeError} for a host that is none. */
export function createSecretHeaders(
  granted: readonly SecretHeader[],
  secrets: Secrets,
): SecretHeaders {
  const rules = granted.map((header) => ({ header, host: parseHostRule(header.host) }));
  const forHost = (url: URL) => rules.filter(({ host }) => matchesHost(host, url));
  return {
    judge: (url) => {
      // Whoever may choose between both schemes would else choose the one that shows the secret.
      const isExposed =
        url.protocol === 'http:' && forHost(url).some(({ host }) => host.port === '');
      return isExposed
        ? {
            code: 'scheme-refused',
            message: `a secret goes to "${displayText(url.host)}" over https: alone; to send it over http: too, its host must be written with the port`,
          }
        : undefined;
    },
    addTo: async (headers, url) => {
      const names = new Set<string>();
      for (const { header } of forHost(url)) {
        const secret = header.value.secret;
        const value = await secrets.get(secret).catch(() => undefined);
        if (value === undefined) {
          return {
            code: 'secret-missing',
            message: `the secret "${secret}" is not there, or cannot be read`,
          };
        }
        if (!trySet(headers, header.name, header.prefix + value)) {
          return {
            code: 'secret-malformed',
            message: `the secret "${secret}" cannot stand in a header`,
          };
        }
        names.add(header.name.toLowerCase());
      }
      return names;
    },
  };
}

/** The error of the standard repeats the value, and is dropped therefore. */
function trySet(headers: Headers, name: string, value: string): boolean {
  try {
    headers.set(name, value);
    return true;
  } catch {
    return false;
  }
}
