import { z } from 'zod';
import { isSha256 } from '../../engine/crypto/crypto.ts';
import type { BatchResult } from '../../engine/governed/batch.ts';
import { decisionDocuments } from '../../engine/governed/documents.ts';

/** The status of an input that is no input document: nothing ran. */
export const INVALID_INPUT = 'invalid-input';

/** One result as a line of JSON, without its newline. */
export function resultLine(result: BatchResult): string {
  if ('problem' in result) {
    const { line, problem } = result;
    return JSON.stringify({
      line,
      status: INVALID_INPUT,
      result: null,
      directives: [],
      decisions: [],
      fuel: null,
      receipt: null,
      problem: { code: problem.code, message: problem.message },
    });
  }
  const { line, report, tip } = result;
  const { status, result: answer, directives, logs, fuel, problem } = report;
  return JSON.stringify({
    line,
    status,
    result: answer,
    directives,
    decisions: decisionDocuments(report),
    ...(logs.length > 0 && { logs }),
    fuel,
    receipt: { epoch: tip.epoch, hash: tip.hash },
    ...(problem !== undefined && { problem }),
  });
}

const written = z.looseObject({
  line: z.int().min(1),
  status: z.string(),
  fuel: z.looseObject({ used: z.number().nullable() }).nullable(),
  receipt: z
    .strictObject({
      epoch: z.int().min(0),
      hash: z.string().refine(isSha256, 'not a SHA-256 in hex'),
    })
    .nullable(),
});

/** What resuming needs of a result. */
export type WrittenResult = z.infer<typeof written>;

/** Reads what {@link resultLine} wrote; `undefined` for anything else. */
export function parseResult(line: Uint8Array): WrittenResult | undefined {
  try {
    return written.safeParse(JSON.parse(Buffer.from(line).toString())).data;
  } catch {
    return undefined;
  }
}
