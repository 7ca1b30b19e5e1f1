import { z } from 'zod';
import { displayText, shortHash } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { canonicalJson, parseJson } from '../../engine/encoding/json.ts';
import { describeIssues } from '../../engine/encoding/schema.ts';
import { readTextFileIfPresent, writeFileAtomic } from '../../engine/platform/node/files.ts';

/** What the name of the file that binds a results file to its batch ends with. */
export const BINDING_SUFFIX = '.batch.json';

const FORMAT = 'batch/1';

const text = z.string();

const bindingSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** SHA-256 of the file of inputs. */
  inputs: text,
  executor: text,
  artifact: text,
  certificate: text.nullable(),
  whitelist: text,
  tier: z.int(),
  entry: text,
  limits: z.record(text, z.int()),
  trust: text,
  capabilities: z.array(text),
  /** How receipts are signed: `each`, `batch`. */
  sign: text,
  order: z.enum(['input', 'completion']),
  /** The folder of the receipts, relative to that of the results. */
  receipts: text,
  signer: text,
});

/** All that the results of a batch depend on: a batch is resumed with the same, or not at all. */
export type Binding = Omit<z.infer<typeof bindingSchema>, 'format'>;

/** What each field is called in a message. */
const NAMES: Readonly<Record<keyof Binding, string>> = {
  inputs: 'the inputs',
  executor: 'the executor',
  artifact: 'the artifact',
  certificate: 'the certificate',
  whitelist: 'the whitelist',
  tier: '--tier',
  entry: "the executor's entry",
  limits: 'a limit',
  trust: "the project's trust",
  capabilities: "the project's capabilities",
  sign: '--sign',
  order: '--unordered',
  receipts: '--receipts',
  signer: "the environment's key",
};

/**
 * Reads what a results file is bound to; `undefined` when there is none yet.
 * @param out the results file.
 * @throws {InputError} `usage` for a binding that is none.
 */
export async function readBinding(out: string): Promise<Binding | undefined> {
  const path = out + BINDING_SUFFIX;
  const contents = await readTextFileIfPresent(path);
  if (contents === undefined) return undefined;
  const shown = displayText(path, 500);
  const parsed = bindingSchema.safeParse(parseJson(contents, shown));
  if (!parsed.success) {
    throw new InputError(
      'usage',
      `${shown} does not say what batch ${displayText(out, 500)} belongs to: ${describeIssues(parsed.error)}`,
    );
  }
  const { format: _, ...binding } = parsed.data;
  return binding;
}

/** Binds a results file to its batch, durably. */
export async function writeBinding(out: string, binding: Binding): Promise<void> {
  const contents = JSON.stringify({ format: FORMAT, ...binding }, undefined, 2);
  await writeFileAtomic(out + BINDING_SUFFIX, `${contents}\n`, 0o644);
}

/**
 * Checks that a batch is resumed as it was begun.
 * @throws {InputError} `usage` naming the first thing that is another.
 */
export function checkBinding(out: string, begun: Binding, now: Binding): void {
  for (const [field, name] of Object.entries(NAMES)) {
    const [then, here] = [begun, now].map((each) =>
      canonicalJson(Object.entries(each).find(([key]) => key === field)?.[1] ?? null),
    );
    if (then === here) continue;
    throw new InputError(
      'usage',
      `${displayText(out, 500)} belongs to a batch that was begun otherwise: ${name} was ${shown(then)} and is ${shown(here)}; go on as it was begun, or choose another --out`,
    );
  }
}

function shown(value = ''): string {
  const plain = value.replace(/^"(.*)"$/, '$1');
  return /^[0-9a-f]{64}$/.test(plain) ? `${shortHash(plain)}…` : displayText(plain, 200);
}
