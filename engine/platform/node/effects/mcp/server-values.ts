import type { SecretReference, Secrets } from '../../../../governance/secret.ts';

/** What a server is given by name: its environment, or its headers. */
export interface ServerValues {
  readonly values: Readonly<Record<string, string>>;
  /** Those among the values that nobody else may see. */
  readonly secrets: readonly string[];
}

/** A server cannot be given a secret that it needs. */
export class SecretProblem extends Error {
  override readonly name = 'SecretProblem';
  readonly code: 'secret-missing' | 'secret-unusable';

  constructor(code: SecretProblem['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Puts the values of secrets in the place of their names.
 * @param usable what a value may be made of.
 * @throws {SecretProblem}
 */
export async function readValues(
  written: Readonly<Record<string, string | SecretReference>>,
  secrets: Secrets,
  usable: RegExp,
): Promise<ServerValues> {
  const values: [string, string][] = [];
  const found: string[] = [];
  for (const [name, value] of Object.entries(written)) {
    if (typeof value === 'string') {
      values.push([name, value]);
      continue;
    }
    const text = await secrets.get(value.secret).catch(() => undefined);
    if (text === undefined) {
      throw new SecretProblem(
        'secret-missing',
        `the secret "${value.secret}" has no value: set it and run again`,
      );
    }
    if (!usable.test(text)) {
      throw new SecretProblem(
        'secret-unusable',
        `the secret "${value.secret}" holds what "${name}" cannot hold, a line break perhaps: set it again`,
      );
    }
    values.push([name, text]);
    found.push(text);
  }
  return { values: Object.fromEntries(values), secrets: found };
}

/** Takes values of secrets out of a text of a server's, so that it can stand in a message. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[secret]')),
    text,
  );
}
