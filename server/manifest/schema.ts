import type { JSONSchema } from 'vscode-json-languageservice';
import type { JsonPath } from '../../engine/project/json-document.ts';
import executorSchema from '../../schemas/executor.schema.json' with { type: 'json' };

/** The JSON Schema of `executor.json`. Its descriptions are Markdown. */
export const MANIFEST_SCHEMA: JSONSchema = executorSchema;

/** The schema of the field at a path of a manifest; `undefined` where there is no such field. */
export function schemaAt(path: JsonPath): JSONSchema | undefined {
  let schema: JSONSchema | undefined = MANIFEST_SCHEMA;
  for (const step of path) {
    const next: unknown = typeof step === 'number' ? schema.items : ownField(schema, step);
    if (!isSchema(next)) return undefined;
    schema = next;
  }
  return schema;
}

/** The only values that a field may have, where the schema lists them. */
export function choicesAt(path: JsonPath): readonly (string | number)[] {
  const choices: readonly unknown[] = schemaAt(path)?.enum ?? [];
  return choices.filter((choice) => typeof choice === 'string' || typeof choice === 'number');
}

function ownField(schema: JSONSchema, name: string): unknown {
  const { properties = {} } = schema;
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function isSchema(value: unknown): value is JSONSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
