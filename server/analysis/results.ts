// What an analysis answers: plain data, since it comes from another thread and is kept on disk from
// one session to the next. The schemas are what a kept answer must still look like to be believed.

import { z } from 'zod';

const offset = z.int().min(0);
const position = z.strictObject({ line: offset, character: offset });
const range = z.strictObject({ start: position, end: position });

/** Where something is. Of a manifest the field is named, since its text may change meanwhile. */
const placeSchema = z.discriminatedUnion('file', [
  z.strictObject({ file: z.literal('manifest'), path: z.array(z.union([z.string(), z.int()])) }),
  /** In a binary the line is 0 and the character is the byte. */
  z.strictObject({ file: z.enum(['artifact', 'certificate']), range }),
]);

const findingSchema = z.strictObject({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  /** Tells one finding of a rule from the next, from build to build. */
  subject: z.string(),
  help: z.string().exactOptional(),
  place: placeSchema,
  related: z.array(z.strictObject({ message: z.string(), place: placeSchema })),
  /** The import it is about, as an index into `imports`. */
  importIndex: offset.exactOptional(),
});

const importSchema = z.strictObject({
  module: z.string(),
  name: z.string(),
  kind: z.enum(['function', 'table', 'memory', 'global', 'tag']),
  type: z.string(),
  class: z.enum(['pure', 'directive', 'impure']),
  category: z.string().exactOptional(),
  /** Byte offset in the module. */
  offset,
});

/** How the certificate stands, in the order in which it gets better. */
const certificateSchema = z.strictObject({
  state: z.enum(['missing', 'unreadable', 'stale', 'refused', 'untrusted', 'admitted']),
  /** Why it is not admitted, in one line. */
  detail: z.string().exactOptional(),
  /** RFC 3339, in UTC. */
  issuedAt: z.string().exactOptional(),
  /** The certifier's key id. */
  certifier: z.string().exactOptional(),
});

/** What is known of one artifact, with the project and the certificate that belong to it. */
export const analysisSchema = z.strictObject({
  /** The artifact's path. */
  path: z.string(),
  /** Null where there are no bytes that could be read as a module. */
  sha256: z.string().nullable(),
  /** In bytes; null as above. */
  size: offset.nullable(),
  whitelist: z.strictObject({ name: z.string(), version: z.int(), hash: z.string() }),
  /** In file order. */
  imports: z.array(importSchema),
  /** False also where the imports could not be read. */
  allImportsPure: z.boolean(),
  /** With the severities of the rules themselves, not of settings. */
  findings: z.array(findingSchema),
  /** Absent where nobody looked for one. */
  certificate: certificateSchema.exactOptional(),
});

export type Place = z.infer<typeof placeSchema>;
export type AnalysedFinding = z.infer<typeof findingSchema>;
export type AnalysedImport = z.infer<typeof importSchema>;
export type AnalysedCertificate = z.infer<typeof certificateSchema>;
export type Analysis = z.infer<typeof analysisSchema>;
