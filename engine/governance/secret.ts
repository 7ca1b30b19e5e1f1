import { z } from 'zod';

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** A reference to a secret, which stands wherever a document needs one: its name, never its value. */
export const secretReference = z
  .strictObject({
    secret: z
      .string()
      .regex(NAME, { error: 'a secret is named by letters, digits and "_", at most 64' })
      .describe('The name of the secret. Its value is kept elsewhere.'),
  })
  .meta({ description: 'A secret by its name.' });

export type SecretReference = z.infer<typeof secretReference>;

/** Where the values of secrets are kept. */
export interface Secrets {
  /**
   * The value of a secret; `undefined` where there is none of that name. Every value that was ever
   * answered is kept out of results, receipts, logs and messages by the interpreter.
   */
  get(name: string): Promise<string | undefined>;
}
