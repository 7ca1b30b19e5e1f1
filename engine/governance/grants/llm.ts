import { z } from 'zod';
import { bytes, timeoutMs } from './common.ts';

/** What `llm_call` and `llm_call_stream` may do. */
export const llmGrant = z
  .strictObject({
    models: z
      .array(z.string().min(1).max(200))
      .max(1000)
      .exactOptional()
      .describe('The models, by their names in `agency.json`, that may be asked; all if left out.'),
    promptBytes: bytes(1_048_576, 'Bytes that system and user text may have together.'),
    responseBytes: bytes(4_194_304, 'Bytes that an answer may have.'),
    timeoutMs: timeoutMs(120_000),
  })
  .meta({ description: 'Calls of language models.' });

export type LlmGrant = z.infer<typeof llmGrant>;
